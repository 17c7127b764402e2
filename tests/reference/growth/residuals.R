# nlme's varIdent and corCAR1, glmmTMB's t family: Rscript residuals.R FOLDER > residuals.json
suppressMessages({library(nlme); library(glmmTMB); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
data <- read.csv(file.path(folder, "ordinary.csv"))
data$phase <- ifelse(data$weeks > 3, "late", "early")
control <- lmeControl(opt = "optim", maxIter = 500, msMaxIter = 2000, reltol = 1e-14, returnObject = TRUE)
take <- function(fit) list(logLik = as.numeric(logLik(fit)), beta = unname(fixef(fit)), se = unname(sqrt(diag(vcov(fit)))),
  G = unname(as.matrix(getVarCov(fit))[, ]), sigma = sigma(fit))
out <- list(versions = list(nlme = as.character(packageVersion("nlme")), glmmTMB = as.character(packageVersion("glmmTMB"))))
for (method in c("ML", "REML")) {
  by_arm <- lme(y ~ log1p(weeks) + severity, random = ~ log1p(weeks) | client, weights = varIdent(form = ~ 1 | arm), data = data, method = method, control = control)
  by_phase <- lme(y ~ log1p(weeks) + severity, random = ~ log1p(weeks) | client, weights = varIdent(form = ~ 1 | phase), data = data, method = method, control = control)
  serial <- lme(y ~ log1p(weeks) + severity, random = ~ 1 | client, correlation = corCAR1(form = ~ weeks | client), data = data, method = method, control = control)
  serial2 <- lme(y ~ weeks, random = ~ weeks | client, correlation = corCAR1(form = ~ weeks | client), data = data, method = method, control = control)
  out[[paste0("arm_", method)]] <- c(take(by_arm), list(ratio = as.list(coef(by_arm$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE))))
  out[[paste0("phase_", method)]] <- c(take(by_phase), list(ratio = as.list(coef(by_phase$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE))))
  out[[paste0("car1_", method)]] <- c(take(serial), list(phi = unname(coef(serial$modelStruct$corStruct, unconstrained = FALSE))))
  out[[paste0("car1_slope_", method)]] <- c(take(serial2), list(phi = unname(coef(serial2$modelStruct$corStruct, unconstrained = FALSE))))
}
tail <- data
set.seed(3)
odd <- sample(nrow(tail), 30)
tail$y[odd] <- tail$y[odd] + 15
out$odd_rows <- sort(odd) - 1
fit <- glmmTMB(y ~ log1p(weeks) + severity + (1 + log1p(weeks) | client), tail, family = t_family)
out$student <- list(logLik = as.numeric(logLik(fit)), beta = unname(fixef(fit)$cond), se = unname(sqrt(diag(vcov(fit)$cond))),
  G = unname(as.matrix(VarCorr(fit)$cond$client)[, ]), sigma = sigma(fit), df = unname(family_params(fit)))
cat(toJSON(out, digits = NA, auto_unbox = TRUE, matrix = "rowmajor"))
