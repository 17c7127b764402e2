# Bivariate growth by nlme on stacked outcomes: Rscript paired.R FOLDER > paired.json
suppressMessages({library(nlme); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
data <- read.csv(file.path(folder, "paired.csv"))
long <- rbind(data.frame(data[c("client", "session", "weeks")], o = "a", y = data$a), data.frame(data[c("client", "session", "weeks")], o = "b", y = data$b))
long <- long[!is.na(long$y), ]
long$o <- factor(long$o)
long$occasion <- paste(long$client, long$session)
long <- long[order(long$client, long$session, long$o), ]
control <- lmeControl(opt = "optim", maxIter = 500, msMaxIter = 5000, reltol = 1e-14, returnObject = TRUE)
out <- list(version = as.character(packageVersion("nlme")))
for (method in c("ML", "REML")) {
  fit <- lme(y ~ 0 + o + o:weeks, random = ~ 0 + o + o:weeks | client, weights = varIdent(form = ~ 1 | o),
    correlation = corSymm(form = ~ as.integer(o) | client / session), data = long, method = method, control = control)
  G <- as.matrix(getVarCov(fit))
  ratio <- coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)
  out[[method]] <- list(logLik = as.numeric(logLik(fit)), names = names(fixef(fit)), beta = unname(fixef(fit)),
    se = unname(sqrt(diag(vcov(fit)))), G = unname(G[, ]), Gnames = rownames(G), sigma = sigma(fit), ratio = as.list(ratio),
    rho = unname(coef(fit$modelStruct$corStruct, unconstrained = FALSE)))
}
cat(toJSON(out, digits = NA, auto_unbox = TRUE, matrix = "rowmajor"))
