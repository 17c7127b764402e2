# lmerTest's and pbkrtest's numbers: Rscript degrees_of_freedom.R FOLDER > degrees_of_freedom.json
suppressMessages({library(lmerTest); library(pbkrtest); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
one <- function(name, formula, clients, random) {
  data <- subset(read.csv(file.path(folder, paste0(name, ".csv"))), client < clients)
  data$arm <- factor(data$arm)
  fit <- suppressMessages(lmer(formula, data, control = control))
  p <- length(fixef(fit))
  unit <- diag(p)
  joint <- unit[-1, , drop = FALSE]
  kr <- KRmodcomp(as(fit, "lmerMod"), joint)
  list(names = names(fixef(fit)), theta = getME(fit, "theta"), beta = unname(fixef(fit)),
       satterthwaite = unname(coef(summary(fit, ddf = "Satterthwaite"))[, "df"]),
       kenward_roger = sapply(seq_len(p), function(i) get_Lb_ddf(as(fit, "lmerMod"), unit[i, ])),
       se_kr = unname(sqrt(diag(as.matrix(vcovAdj(as(fit, "lmerMod")))))),
       F_kr = kr$test["Ftest", "stat"], ndf_kr = kr$test["Ftest", "ndf"], ddf_kr = kr$test["Ftest", "ddf"],
       p_kr = kr$test["Ftest", "p.value"],
       F_sat = contestMD(fit, joint)[["F value"]], ddf_sat = contestMD(fit, joint)[["DenDF"]])
}
out <- list(versions = list(lmerTest = as.character(packageVersion("lmerTest")), pbkrtest = as.character(packageVersion("pbkrtest"))))
out$all <- one("ordinary", y ~ log1p(weeks) + severity + (1 + log1p(weeks) | client), 100)
out$twenty <- one("ordinary", y ~ log1p(weeks) + severity + arm + (1 + log1p(weeks) | client), 20)
out$twelve_intercept <- one("ordinary", y ~ weeks + severity + (1 | client), 12)
cat(toJSON(out, digits = NA, auto_unbox = TRUE, matrix = "rowmajor"))
