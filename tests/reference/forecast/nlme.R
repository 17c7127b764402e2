# nlme's random effects with exponential correlation and a nugget: Rscript nlme.R FOLDER > nlme.json
suppressMessages({library(nlme); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
all <- read.csv(file.path(folder, "courses.csv"))
first <- all[!duplicated(all$client), ]
all$intake <- first$score[match(all$client, first$client)]
data <- all[duplicated(all$client), ]  # scores after intake, given the intake score
data$clock <- log1p(data$weeks)
control <- lmeControl(opt = "optim", maxIter = 500, msMaxIter = 5000, reltol = 1e-14, returnObject = TRUE)
fit <- lme(score ~ clock + intake + intake:clock, random = ~ clock | client,
  correlation = corExp(c(6, 0.3), form = ~ weeks | client, nugget = TRUE), data = data, method = "ML", control = control)
shape <- unname(coef(fit$modelStruct$corStruct, unconstrained = FALSE))
cat(toJSON(list(version = as.character(packageVersion("nlme")), logLik = as.numeric(logLik(fit)), beta = unname(fixef(fit)),
  G = unname(as.matrix(getVarCov(fit))[, ]), sigma = fit$sigma, range = shape[1], nugget = shape[2], rows = nrow(data)),
  digits = NA, auto_unbox = TRUE, matrix = "rowmajor"))
