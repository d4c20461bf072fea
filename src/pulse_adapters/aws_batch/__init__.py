"""AWS Batch: the environment of a job's container, and calls to the service: submit, describe, list, end."""
