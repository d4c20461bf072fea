"""Real servers for tests and benchmarks: started on loopback on free ports, ended with the process that asked."""
