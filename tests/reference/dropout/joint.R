# Joint model of scores and dropout in TMB (Laplace approximation): Rscript joint.R joint.csv joint.json
# joint.csv from make_joint.py; the template is joint.cpp beside this script.
suppressMessages({library(TMB); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
built <- file.path(tempdir(), "joint.cpp"); invisible(file.copy(file.path(here, "joint.cpp"), built))
invisible(capture.output(compile(built))); dyn.load(dynlib(sub(".cpp", "", built, fixed = TRUE)))
rows <- read.csv(commandArgs(TRUE)[1]); rows <- rows[order(rows$client, rows$week), ]
last <- ave(rows$week, rows$client, FUN = max)
data <- list(y = rows$score, time = rows$week, client = as.integer(factor(rows$client)) - 1L,
  at_risk = as.integer(rows$week < max(rows$week)), left = as.numeric(rows$week == last), band = as.integer(rows$week))
n <- length(unique(data$client)); bands <- max(data$band[data$at_risk == 1]) + 1
model <- function(effects, start) MakeADFun(c(data, effects = as.integer(effects)),
  c(start, list(v = matrix(0, n, 2))), random = "v", DLL = "joint", silent = TRUE)
given <- function(gamma) list(beta = c(19.5, -0.5), lower = c(3.6, 0.1, 0.45), log_sigma = log(2.4),
  alpha = seq(-5, -4, length.out = bands), gamma = gamma)
one <- function(effects, gamma) {
  made <- model(effects, given(gamma))
  there <- as.numeric(made$fn(made$par))
  fit <- nlminb(made$par, made$fn, made$gr, control = list(rel.tol = 1e-13, x.tol = 1e-10, iter.max = 2000, eval.max = 4000))
  errors <- sqrt(diag(sdreport(made)$cov.fixed))
  list(given = given(gamma), log_likelihood_given = -there, estimates = split(unname(fit$par), names(fit$par)),
    log_likelihood = -fit$objective, gamma_error = unname(errors[names(fit$par) == "gamma"]),
    beta_error = unname(errors[names(fit$par) == "beta"]), gradient = max(abs(made$gr(fit$par))))
}
out <- list(versions = list(R = R.version.string, TMB = as.character(packageVersion("TMB"))), rows = nrow(rows),
  dropouts = sum(data$at_risk * data$left), value = one(FALSE, 0.12), effects = one(TRUE, c(0.12, 0.3)))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), commandArgs(TRUE)[2])
