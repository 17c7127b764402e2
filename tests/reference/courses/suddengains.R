# What the R package suddengains gives on wide.csv (make_data.py):  Rscript suddengains.R wide.csv [FOLDER] > suddengains.json
# FOLDER holds the package's own R files, where it is not installed (it is not among Debian's packages).
suppressMessages({library(dplyr); library(tidyr); library(rlang); library(jsonlite)})
arguments <- commandArgs(TRUE)
version <- "its source on GitHub (2020), without its messages; criteria and tables as in 0.7.2"
if (length(arguments) > 1) {
  for (file in list.files(arguments[2], pattern = "R$", full.names = TRUE)) source(file)
} else {
  library(suddengains)
  version <- as.character(packageVersion("suddengains"))
}
data <- read.csv(arguments[1])
sessions <- setdiff(names(data), "id")
spoken <- function(x) if (any(is.infinite(x))) ifelse(is.infinite(x), "Inf", sprintf("%.17g", x)) else x  # JSON has none
run <- function(identify = "sg", cutoff = 7, pct = .25, third = TRUE, alpha = .05, adjust = TRUE, baseline = FALSE) {
  find <- if (identify == "sg") identify_sg else identify_sl
  found <- suppressWarnings(suppressMessages(find(data, "id", sessions, cutoff, pct, third, alpha, adjust,
    identify_sg_1to2 = baseline)))
  rows <- suppressWarnings(suppressMessages(create_bysg(data, cutoff, "id", sessions, sessions[1],
    sessions[length(sessions)], "x", pct, third, alpha, adjust, identify, baseline)))
  verdicts <- as.matrix(found[, grepl("^s[gl]_[0-9]+to", names(found))])
  list(options = list(identify = identify, cutoff = cutoff, pct = pct, third = third, alpha = alpha,
         adjust = adjust, baseline = baseline),
       verdicts = unname(apply(verdicts, 1, function(x) paste(ifelse(is.na(x), "-", x), collapse = ""))),
       rows = lapply(as.list(rows[, !(names(rows) %in% sessions)]), spoken))
}
cases <- list(run(), run(cutoff = 3), run(cutoff = .5, pct = .1), run(third = FALSE), run(cutoff = NULL, third = FALSE),
  run(pct = NULL), run(cutoff = NULL, pct = NULL), run(adjust = FALSE), run(alpha = .1), run(baseline = TRUE),
  run("sl", -5), run("sl", -5, -.25), run("sl", -2, third = FALSE), run("sl", -5, baseline = TRUE))
cat(toJSON(list(suddengains = version, R = R.version.string, cases = cases), digits = NA, auto_unbox = TRUE, na = "null", null = "null"))
