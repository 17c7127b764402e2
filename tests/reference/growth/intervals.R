# lme4's profile intervals and bootstrap spread: Rscript intervals.R FOLDER > intervals.json
suppressMessages({library(lme4); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
data <- read.csv(file.path(folder, "ordinary.csv"))
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
fit <- lmer(y ~ log1p(weeks) + severity + (1 + log1p(weeks) | client), data, REML = FALSE, control = control)
ci <- confint(fit, parm = "theta_", oldNames = FALSE, level = 0.95)
small <- lmer(y ~ weeks + (1 | client), subset(data, client < 15), REML = FALSE, control = control)
ci_small <- confint(small, parm = "theta_", oldNames = FALSE, level = 0.9)
flat <- read.csv(file.path(folder, "zero_slope_variance.csv"))
fit_flat <- lmer(y ~ log1p(weeks) + severity + (1 + log1p(weeks) | client), flat, REML = FALSE, control = control)
ci_flat <- suppressWarnings(confint(fit_flat, parm = c(1, 4), oldNames = FALSE))
boot <- bootMer(fit, function(m) c(fixef(m), as.data.frame(VarCorr(m))$sdcor), nsim = 400, seed = 1)
cat(toJSON(list(version = as.character(packageVersion("lme4")), profile = unname(ci), names = rownames(ci),
  small = unname(ci_small), flat = unname(ci_flat), boot_mean = unname(colMeans(boot$t)), boot_sd = unname(apply(boot$t, 2, sd))),
  digits = NA, auto_unbox = TRUE, matrix = "rowmajor"))
