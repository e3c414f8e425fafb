"""A folder of `.eml` files as a way out: nothing leaves the machine."""
