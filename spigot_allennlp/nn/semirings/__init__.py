"""Numbers for kernels: one recurrence, written once, sums, differentiates or maximises."""
