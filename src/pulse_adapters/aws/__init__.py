"""What every adapter to AWS stands on: clients, retries, and the translation of its errors into ours."""
