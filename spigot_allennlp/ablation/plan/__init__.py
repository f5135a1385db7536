"""Makes the plan of an ablation from the command line, validates it, and stores it."""
