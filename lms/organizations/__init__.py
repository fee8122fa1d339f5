"""Organizations: the tenants of the service, with branches, hosts, settings and quotas."""
