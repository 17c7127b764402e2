# nlme's log-likelihoods on every hard case: Rscript peers.R FOLDER > peers_nlme.json   (FOLDER from make_data.py)
suppressMessages({library(nlme); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
control <- lmeControl(opt = "optim", maxIter = 500, msMaxIter = 5000, reltol = 1e-14, returnObject = TRUE)
out <- list(version = as.character(packageVersion("nlme")))
for (file in setdiff(list.files(folder, pattern = "csv$"), c("paired.csv", "therapists.csv"))) {
  name <- sub(".csv", "", file, fixed = TRUE)
  data <- read.csv(file.path(folder, file))
  straight <- name %in% c("calendar_year", "epoch_seconds")
  fixed <- if (straight) y ~ time + severity else y ~ log1p(weeks) + severity
  random <- if (straight) ~ time | client else ~ log1p(weeks) | client
  if (name == "collinear") fixed <- update(fixed, . ~ . + twin)
  for (method in c("REML", "ML")) out[[paste0(name, "_", tolower(method))]] <- tryCatch(
    as.numeric(logLik(suppressWarnings(lme(fixed, random = random, data = data, method = method, control = control)))),
    error = function(e) conditionMessage(e))
}
cat(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE))
