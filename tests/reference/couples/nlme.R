# Actor-partner models by generalised least squares: Rscript nlme.R couples.csv > nlme.json   (make_data.py)
suppressMessages({library(nlme); library(jsonlite)})
rows <- read.csv(commandArgs(TRUE)[1])
both <- merge(rows, rows, by = "couple", suffixes = c("", "_other"))
both <- both[both$role != both$role_other, ]
both <- both[complete.cases(both), ]
both$role <- factor(both$role)
both <- both[order(both$couple, both$role), ]
table <- function(fit) list(names = names(coef(fit)), estimate = unname(coef(fit)), error = unname(sqrt(diag(vcov(fit)))))
exact <- glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500)
told <- gls(y ~ 0 + role + role:x + role:x_other, both, correlation = corSymm(form = ~ 1 | couple),
  weights = varIdent(form = ~ 1 | role), method = "REML", control = exact)
gap <- c(0, 0, 1, -1, 0, 0); other <- c(0, 0, 0, 0, 1, -1)
same <- gls(y ~ x + x_other, both, correlation = corCompSymm(form = ~ 1 | couple), method = "REML", control = exact)
cat(toJSON(list(versions = list(R = R.version.string, nlme = as.character(packageVersion("nlme"))),
  couples = length(unique(both$couple)),
  told_apart = table(told),
  actor_difference = c(sum(gap * coef(told)), sqrt(drop(gap %*% vcov(told) %*% gap))),
  partner_difference = c(sum(other * coef(told)), sqrt(drop(other %*% vcov(told) %*% other))),
  interchangeable = table(same),
  sigma = sigma(same), correlation = unname(coef(same$modelStruct$corStruct, unconstrained = FALSE))),
  digits = NA, auto_unbox = TRUE))
