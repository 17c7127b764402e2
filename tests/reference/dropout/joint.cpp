// Scores and dropout together, for TMB: minus the log density of data and random effects v ~ N(0, I), b = L v.
#include <TMB.hpp>
template <class Type> Type objective_function<Type>::operator()() {
  DATA_VECTOR(y); DATA_VECTOR(time); DATA_IVECTOR(client);
  DATA_IVECTOR(at_risk); DATA_VECTOR(left); DATA_IVECTOR(band); DATA_INTEGER(effects);
  PARAMETER_VECTOR(beta); PARAMETER_VECTOR(lower); PARAMETER(log_sigma);
  PARAMETER_VECTOR(alpha); PARAMETER_VECTOR(gamma); PARAMETER_MATRIX(v);
  Type nll = -dnorm(vector<Type>(v.vec()), Type(0), Type(1), true).sum();
  for (int j = 0; j < y.size(); j++) {
    Type b0 = lower(0) * v(client(j), 0);
    Type b1 = lower(1) * v(client(j), 0) + lower(2) * v(client(j), 1);
    Type course = beta(0) + b0 + (beta(1) + b1) * time(j);
    nll -= dnorm(y(j), course, exp(log_sigma), true);
    if (at_risk(j)) {
      Type eta = alpha(band(j)) + (effects ? gamma(0) * b0 + gamma(1) * b1 : gamma(0) * course);
      nll -= left(j) * eta - logspace_add(Type(0), eta);
    }
  }
  return nll;
}
