# lme4 with clients within and across therapists: Rscript therapists.R FOLDER > therapists.json
suppressMessages({library(lme4); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
data <- read.csv(file.path(folder, "therapists.csv"))
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
one <- function(formula, who, reml = TRUE, interval = FALSE) {
  fit <- suppressMessages(lmer(formula, data, REML = reml, control = control))
  effects <- ranef(fit, condVar = TRUE)[[who]]
  spread <- attr(effects, "postVar")
  out <- list(logLik = as.numeric(logLik(fit)), beta = unname(fixef(fit)), se = unname(sqrt(diag(as.matrix(vcov(fit))))),
    client = unname(as.matrix(VarCorr(fit)$client)[, ]), therapist = unname(as.matrix(VarCorr(fit)[[who]])[, ]), sigma2 = sigma(fit)^2,
    effects = unname(as.matrix(effects)), sd = t(sqrt(apply(spread, 3, diag))))
  if (interval) out$interval <- unname(confint(fit, parm = paste0("sd_(Intercept)|", who), oldNames = FALSE))
  out
}
out <- list(version = as.character(packageVersion("lme4")),
  nested = one(y_nested ~ log1p(weeks) + severity + (1 + log1p(weeks) | client) + (1 | therapist), "therapist"),
  nested_ml = one(y_nested ~ log1p(weeks) + severity + (1 + log1p(weeks) | client) + (1 | therapist), "therapist", FALSE),
  slopes = one(y_nested ~ log1p(weeks) + severity + (1 + log1p(weeks) | client) + (1 + log1p(weeks) | therapist), "therapist"),
  crossed = one(y_crossed ~ log1p(weeks) + severity + (1 + log1p(weeks) | client) + (1 | changed), "changed"),
  intercepts = one(y_crossed ~ log1p(weeks) + (1 | client) + (1 | changed), "changed", FALSE, TRUE))
cat(toJSON(out, digits = NA, auto_unbox = TRUE, matrix = "rowmajor"))
