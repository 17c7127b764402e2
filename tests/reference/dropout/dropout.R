# Dropout by other programs: Rscript dropout.R trial.csv [btheb.csv] > dropout.json   (trial.csv from make_data.py)
suppressMessages({library(lme4); library(mice); library(jsonlite)})
arguments <- commandArgs(TRUE)
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5))
# Those missing at the last time are expected to have what lme4 predicts of them; own covariates for the never seen.
mixture <- function(rows, formula, first, reml) {
  fit <- lmer(formula, rows[!is.na(rows$y), ], REML = reml, control = tight)
  end <- rows[rows$time == max(rows$time), ]
  filled <- ifelse(is.na(end$y), predict(fit, newdata = end, allow.new.levels = TRUE), end$y)
  active <- end$arm == first
  lost <- mean(is.na(end$y[active]))
  estimate <- mean(filled[active]) - mean(filled[!active])
  list(completers = mean(end$y[active], na.rm = TRUE) - mean(end$y[!active], na.rm = TRUE), estimate = estimate,
    tipping = -estimate / lost, expected = mean(filled[active & is.na(end$y)]), missing = sum(is.na(end$y)))
}
trial <- read.csv(arguments[1]); trial$y <- trial$score; trial$time <- trial$week
out <- list(versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4")),
  mice = as.character(packageVersion("mice"))))
out$slopes <- mixture(trial, y ~ time + arm + pre + (1 + time | client), "new", TRUE)
out$log <- mixture(trial, y ~ log1p(time) * arm + (1 + log1p(time) | client), "new", FALSE)
if (length(arguments) > 1) {
  wide <- read.csv(arguments[2]); wide$client <- seq_len(nrow(wide))
  long <- reshape(wide, direction = "long", idvar = "client", timevar = "time", times = c(2, 3, 5, 8), v.names = "y",
    varying = c("bdi.2m", "bdi.3m", "bdi.5m", "bdi.8m"))
  long$arm <- long$treatment
  out$btheb <- mixture(long, y ~ bdi.pre + time + treatment + drug + length + (1 | client), "BtheB", FALSE)
}
# Rubin's rules
pool <- function(q, u, n) { p <- pool.scalar(q, u, n = n); p[c("qbar", "ubar", "b", "t", "df", "r", "fmi")] }
q <- c(-3.1, -2.4, -3.9, -2.8, -3.3, -1.9); u <- c(1.1, 1.3, 0.9, 1.2, 1.0, 1.15)
out$pool <- list(q = q, u = u, large = pool(q, u, Inf), small = pool(q, u, 41))
# Who stays: one row per client and occasion at which the client could still come.
person <- list()
for (id in unique(trial$client)) {
  own <- trial[trial$client == id, ]; own <- own[order(own$week), ]
  seen <- which(!is.na(own$score)); if (!length(seen)) next
  for (k in 2:nrow(own)) {
    if (max(seen) < k - 1) break
    before <- seen[seen < k]; last <- tail(before, 2)
    slope <- if (length(last) == 2) diff(own$score[last]) / diff(own$week[last]) else 0
    person[[length(person) + 1]] <- data.frame(client = id, occasion = k - 1, score = own$score[max(before)],
      slope = slope, stays = as.numeric(max(seen) >= k))
  }
}
person <- do.call(rbind, person)
full <- glm(stays ~ occasion + score + slope, binomial, person, control = list(epsilon = 1e-14, maxit = 100))
plain <- glm(stays ~ occasion, binomial, person, control = list(epsilon = 1e-14, maxit = 100))
person$ratio <- fitted(plain) / fitted(full)
seen <- trial[!is.na(trial$score), ]
seen$place <- match(seen$week, sort(unique(trial$week))) - 1
weight <- mapply(function(id, k) prod(person$ratio[person$client == id & person$occasion <= k]), seen$client, seen$place)
out$attendance <- list(chances = nrow(person), estimate = unname(coef(full)), error = unname(sqrt(diag(vcov(full)))),
  client = seen$client, week = seen$week, weight = weight)
cat(toJSON(out, digits = NA, auto_unbox = TRUE))
