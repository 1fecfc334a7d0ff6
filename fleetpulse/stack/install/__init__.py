"""What `make setup` and `make package` install and build."""
