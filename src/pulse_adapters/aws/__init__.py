"""AWS: clients, buckets, retries, credentials, and the translation of boto3's errors into ours."""
