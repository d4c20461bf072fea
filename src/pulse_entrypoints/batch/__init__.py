"""AWS Batch: the process in a job's container (`pulse-batch`), and the commands that submit and manage jobs."""
