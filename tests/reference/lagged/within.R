# Slopes within persons by dummies, and the half-panel jackknife: Rscript within.R series.csv > within.json
suppressMessages(library(jsonlite))
data <- read.csv(commandArgs(TRUE)[1])
data <- data[order(data$client, data$session), ]
pairs <- do.call(rbind, lapply(split(data, data$client), function(own) { n <- nrow(own)
  data.frame(client = own$client[-n], rank = seq_len(n - 1), t = own$session[-n], x0 = own$esteem[-n], y0 = own$satisfaction[-n],
    x1 = own$esteem[-1], y1 = own$satisfaction[-1]) }))
# A level and a line for every client, as dummies: no partialling out.
slopes <- function(rows, trend) {
  who <- factor(rows$client)
  own <- if (trend) model.matrix(~ 0 + who + who:t, rows) else model.matrix(~ 0 + who, rows)
  fit <- lm.fit(cbind(x0 = rows$x0, y0 = rows$y0, own), cbind(rows$x1, rows$y1))
  unname(fit$coefficients[1:2, ])
}
made <- function(trend) {
  n <- max(pairs$rank)
  cuts <- c(n %/% 2, (n + 1) %/% 2)
  halves <- lapply(cuts, function(k) (slopes(pairs[pairs$rank <= k, ], trend) + slopes(pairs[pairs$rank > k, ], trend)) / 2)
  whole <- slopes(pairs, trend)
  list(whole = whole, corrected = 2 * whole - (halves[[1]] + halves[[2]]) / 2)
}
cat(toJSON(list(R = R.version.string, own = made(TRUE), level = made(FALSE)), digits = NA, auto_unbox = TRUE, matrix = "rowmajor"))
