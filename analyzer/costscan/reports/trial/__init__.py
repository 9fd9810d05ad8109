"""What trials come to, before and after."""
