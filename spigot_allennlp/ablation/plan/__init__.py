"""Makes the plan of an ablation of what the command line asks for, validates it, and keeps it."""
