"""
Projections onto polytopes that are only known through an argmax, by the active set method.

The files, in the order to read them: `active_set.py` has the public functions and describes the
method; `cpu.py` calls the argmax and the kernels in turn; `kernels.py` has one compiled iteration.
"""
