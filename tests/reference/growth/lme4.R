# lme4's numbers for tests/models/growth: Rscript lme4.R FOLDER > lme4.json   (FOLDER from make_data.py)
# For each case: lme4's own optimum (or its failure), and everything at lme4's theta.
suppressMessages({library(lme4); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
at_theta <- function(fit, rows = 5) {
  effects <- ranef(fit, condVar = TRUE)$client
  spread <- attr(effects, "postVar")
  keep <- seq_len(min(rows, nrow(effects)))
  list(theta = getME(fit, "theta"), logLik = as.numeric(logLik(fit)), beta = unname(fixef(fit)),
       names = names(fixef(fit)), vcov = unname(as.matrix(vcov(fit))), G = unname(as.matrix(VarCorr(fit)$client)[, ]),
       sigma2 = sigma(fit)^2, effects = unname(as.matrix(effects[keep, , drop = FALSE])),
       spread = lapply(keep, function(i) unname(matrix(spread[, , i], dim(spread)[1]))), n = nobs(fit))
}
fit <- function(formula, data, reml) tryCatch(
  at_theta(suppressMessages(suppressWarnings(lmer(formula, data, REML = reml,
    control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5),
    check.nobs.vs.nRE = "ignore", check.nobs.vs.rankZ = "ignore"))))),
  error = function(e) list(error = conditionMessage(e)))
out <- list(versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4"))))
for (file in setdiff(list.files(folder, pattern = "csv$"), c("paired.csv", "therapists.csv"))) {
  name <- sub(".csv", "", file, fixed = TRUE)
  data <- read.csv(file.path(folder, file)); data$arm <- factor(data$arm)
  straight <- name %in% c("calendar_year", "epoch_seconds")
  formula <- if (straight) y ~ time + severity + (1 + time | client) else
    y ~ log1p(weeks) + severity + (1 + log1p(weeks) | client)
  if (name == "collinear") formula <- update(formula, . ~ . + twin)
  for (reml in c(TRUE, FALSE)) out[[paste0(name, if (reml) "_reml" else "_ml")]] <- fit(formula, data, reml)
}
data <- read.csv(file.path(folder, "ordinary.csv")); data$arm <- factor(data$arm)
out$intercept_only <- fit(y ~ weeks + (1 | client), data, TRUE)
out$slope_only <- fit(y ~ weeks + (0 + weeks | client), data, TRUE)
out$three_effects <- fit(y ~ weeks + I(weeks^2) + arm + (1 + weeks + I(weeks^2) | client), data, TRUE)
out$interaction <- fit(y ~ log1p(weeks) * severity + arm + (1 + log1p(weeks) | client), data, TRUE)
out$piecewise <- fit(y ~ weeks + pmax(weeks - 3, 0) + (1 + weeks | client), data, FALSE)
out$sqrt <- fit(y ~ sqrt(weeks) + (1 + sqrt(weeks) | client), data, FALSE)
cat(toJSON(out, digits = NA, auto_unbox = TRUE, matrix = "rowmajor"))
