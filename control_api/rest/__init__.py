"""The control API at /v1: endpoints as values, from which routes, checks and the OpenAPI document are made.

To add an endpoint: structs in `control_api/contract/`, an `Endpoint` in a file of this folder beside its like, its
refusals in `problems.py`, its example in `control_api/api.md`; a new file is one line in `control_api/application.py`.
"""
