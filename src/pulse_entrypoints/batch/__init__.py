"""AWS Batch: what runs in a job's container (`pulse-batch`), and what submits jobs and looks after them."""
