"""What the operator does over HTTP: the organizations of a service, their plans and their quotas."""
