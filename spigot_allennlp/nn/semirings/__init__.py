"""Numbers for kernels: a recurrence that is written once sums, differentiates or maximises."""
