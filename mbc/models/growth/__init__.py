"""Growth models: linear mixed models of clients' courses, from client sums; one file per mathematical object.

Rows are read once into cross-products per client (``client_sums``, ``statistics``). The profiled deviance is then
a pure function of the covariance parameters (``deviance``), minimised by ``optimiser``; ``estimates`` turns the
optimum into coefficients, variances and client effects. ``growth_curve`` and ``mixedlm`` are the public doors.
"""
