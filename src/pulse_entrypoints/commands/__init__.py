"""The commands of `pulse`, one module or package each."""
