"""
Projections onto polytopes of which only an argmax is known, by the active set method.

The files, in the order to read them: `active_set.py` has the public functions and the method;
`cpu.py` calls the argmax and the kernels in turn; `kernels.py` has an iteration, compiled.
"""
