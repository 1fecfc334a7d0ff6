"""One module a dashboard, or a part of one."""
