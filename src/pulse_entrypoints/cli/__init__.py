"""The command line: the application, its options, settings layers, output, exit statuses, signals and logging."""
