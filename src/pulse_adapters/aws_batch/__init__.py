"""AWS Batch: what a job's container knows of itself, and what is asked of the service from outside."""
