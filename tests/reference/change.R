# Reference numbers from R for the change statistics; prints JSON. Run: Rscript tests/reference/change.R > tests/reference/change.json
suppressPackageStartupMessages({library(metafor); library(psych); library(survival); library(cmprsk); library(mvtnorm); library(lme4)})
out <- list()
put <- function(name, value) out[[name]] <<- value
# Effect sizes: metafor's standardised mean changes, of Lakens' (2013) ten pairs and Morris' (2008) table
x1 <- c(9,7,8,9,8,9,9,10,9,9); x2 <- c(9,6,7,8,7,9,8,8,8,7)
# SMCR is m1i - m2i over sd1i, so the first occasion's SD goes in as sd1i.
smcr <- escalc("SMCR", m1i=mean(x2), m2i=mean(x1), sd1i=sd(x1), ni=10, ri=cor(x1,x2))
smcc <- escalc("SMCC", m1i=mean(x2), m2i=mean(x1), sd1i=sd(x2), sd2i=sd(x1), ni=10, ri=cor(x1,x2))
put("smcr", c(smcr$yi, smcr$vi)); put("smcc", c(smcc$yi, smcc$vi))
ncp <- function(t, df, p) uniroot(function(x) pt(t, df, x) - p, c(t-30, t+30), tol=1e-13)$root
t <- t.test(x2, x1, paired=TRUE)$statistic
put("dz_interval", suppressWarnings(c(ncp(t, 9, .975), ncp(t, 9, .025)) / sqrt(10)))
T <- list(m1=c(30.6,23.5,0.5,53.4,35.6), m2=c(38.5,26.8,0.7,75.9,36.0), s=c(15,3.1,0.1,14.5,4.7), n=c(20,50,9,10,14), r=c(.47,.64,.77,.89,.44))
K <- list(m1=c(23.1,24.9,0.6,55.7,34.8), m2=c(19.7,25.3,0.6,60.7,33.4), s=c(13.8,4.1,0.2,17.3,3.1), n=c(20,42,9,11,14), r=c(.47,.64,.77,.89,.44))
eT <- escalc("SMCR", m1i=T$m2, m2i=T$m1, sd1i=T$s, ni=T$n, ri=T$r); eC <- escalc("SMCR", m1i=K$m2, m2i=K$m1, sd1i=K$s, ni=K$n, ri=K$r)
put("morris_treated", as.vector(eT$yi)); put("morris_treated_var", as.vector(eT$vi)); put("morris_control", as.vector(eC$yi))
put("morris_ppc1", as.vector(eT$yi - eC$yi)); put("morris_ppc1_var", as.vector(eT$vi + eC$vi))
sp <- sqrt(((T$n-1)*T$s^2 + (K$n-1)*K$s^2)/(T$n+K$n-2)); df <- T$n+K$n-2
J <- exp(lgamma(df/2) - log(sqrt(df/2)) - lgamma((df-1)/2))
put("morris_ppc2", J*((T$m2-T$m1)-(K$m2-K$m1))/sp)
put("benchmark", sapply(c(50,100,500,5704), function(N) qt(.95, N-1, sqrt(N)*(.795-.2))/sqrt(N)))
# Reliability: psych
a <- suppressWarnings(psych::alpha(attitude)); put("alpha_attitude", a$total$raw_alpha); put("alpha_feldt", unlist(a$feldt[c("lower.ci","upper.ci")], use.names=FALSE))
put("alpha_item_rest", a$item.stats$r.drop); put("alpha_without", a$alpha.drop$raw_alpha)
f <- factanal(attitude, 1, control=list(opt=list(factr=1, maxit=5000))); put("omega_attitude", sum(f$loadings)^2/(sum(f$loadings)^2+sum(f$uniquenesses)))
L <- f$loadings*sapply(attitude, sd); u <- f$uniquenesses*sapply(attitude, var); put("omega_attitude_raw", sum(L)^2/(sum(L)^2+sum(u)))
put("attitude", unname(as.matrix(attitude)))
set.seed(17); n <- 40; k <- 6; d <- expand.grid(time=1:k, id=1:n); p <- rnorm(n); pt <- matrix(rnorm(n*k, sd=.8), n)
for (j in 1:4) d[[paste0("x", j)]] <- round(3 + p[d$id] + pt[cbind(d$id, d$time)] + .1*d$time + rnorm(n*k, sd=.9) + rnorm(n, sd=.4)[d$id], 3)
g <- suppressWarnings(mlr(d, grp="id", Time="time", items=paste0("x", 1:4), lmer=FALSE, aov=TRUE))
put("diary", unname(as.matrix(d))); put("mlr", unlist(g[c("RkF","R1R","RkR","Rc")], use.names=FALSE))
# Nested variance components by expected mean squares (balanced): occasions in persons, answers in occasions
long <- reshape(d, direction="long", varying=paste0("x",1:4), v.names="y", timevar="item", idvar="row", ids=1:nrow(d))
av <- anova(lm(y ~ factor(id)/factor(time), long)); vt <- (av[2,3]-av[3,3])/4; put("nested_change", vt/(vt+av[3,3]/4))
# Time to change: survival, cmprsk
gt <- c(10,7,32,23,22,6,16,34,32,25,11,20,19,6,17,35,6,13,9,6,10); ge <- c(1,1,0,1,1,1,1,0,0,0,0,0,0,1,0,0,1,1,0,0,0)
s <- summary(survfit(Surv(gt, ge) ~ 1, conf.type="log-log")); put("km", list(time=s$time, surv=s$surv, se=s$std.err, lower=s$lower, upper=s$upper))
ct <- c(1,1,2,2,3,3,3,4,4,5,6,6,7,8,8); ce <- c(2,1,1,2,1,2,0,1,1,2,1,0,1,0,2)
c1 <- cuminc(ct, ce, cencode=0)[["1 1"]]; at <- sort(unique(ct[ce > 0])); tp <- timepoints(list("1 1"=c1), at)
put("cif", list(time=at, est=as.vector(tp$est), var=as.vector(tp$var)))
mstate <- survfit(Surv(ct, factor(ce, 0:2, c("cens","changed","left"))) ~ 1); put("aj", list(time=mstate$time, changed=mstate$pstate[,2], se=mstate$std.err[,2]))
l <- c(45,6,0,46,46,7,17,7,37,0,4,15,11,22,46,46,25,46,26,46,27,36,46,36,37,40,17,46,11,38,5,37,0,18,24,36,5,19,17,24,32,33,19,37,34,36)
r <- c(NA,10,7,NA,NA,16,NA,14,44,8,11,NA,15,NA,NA,NA,37,NA,40,NA,34,44,NA,48,NA,NA,25,NA,18,NA,12,NA,5,NA,NA,NA,11,35,25,NA,NA,NA,26,NA,NA,NA)
l2 <- l; l2[l2 == 0] <- NA  # interval2: no left end is left-censored
tb <- survfit(Surv(l2, r, type="interval2") ~ 1)
put("turnbull", list(lower=l, upper=r, time=tb$time, surv=tb$surv))
# Many sessions against one baseline: Dunnett's constants by one integral, and by multivariate normal quantiles (to 1e-4)
put("dunnett", sapply(c(1,2,3,5,8,12,20), function(K) uniroot(function(c) 1 - integrate(function(u) dnorm(u)*(pnorm(u+sqrt(2)*c)-pnorm(u-sqrt(2)*c))^K,
  -Inf, Inf, rel.tol=1e-12)$value - .05, c(1, 4), tol=1e-13)$root))
put("dunnett_mvtnorm", sapply(c(2,3,5,8,12,20), function(K) qmvnorm(.95, tail="both.tails", corr=0.5*diag(K)+.5, algorithm=GenzBretz(maxpts=2e6, abseps=1e-8))$quantile))
put("wilson", unname(as.vector(prop.test(8, 10, correct=FALSE)$conf.int)))
w <- t.test(c(3,5,8,2,9), c(1,2,2,4,3,5)); put("welch", unname(c(w$estimate[1]-w$estimate[2], w$conf.int)))
# Growth: lme4 on sleepstudy; slopes against the sample's mean (conditional modes) and in total
fit <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy); re <- ranef(fit, condVar=TRUE)$Subject
X <- getME(fit, "X"); Z <- getME(fit, "Z"); G <- VarCorr(fit)$Subject[1:2,1:2]; s2 <- sigma(fit)^2
# Henderson's equations: prediction error of fixed + random slope
q <- ncol(Z); Gi <- kronecker(diag(18), solve(G)); M <- rbind(cbind(crossprod(X), as.matrix(crossprod(X, Z))), cbind(as.matrix(crossprod(Z, X)), as.matrix(crossprod(Z)) + Gi*s2))/s2
C <- solve(M); j <- 2 + 2*(1:18)
put("slopes", list(own=re$Days, own_se=sqrt(attr(re, "postVar")[2,2,]), total=fixef(fit)[[2]]+re$Days, total_se=sqrt(C[2,2]+diag(C)[j]+2*C[2,j]),
  fixed=unname(fixef(fit)), fixed_cov=unname(as.matrix(vcov(fit))), G=unname(G), s2=s2, days=sleepstudy$Days, y=sleepstudy$Reaction, id=as.integer(sleepstudy$Subject)))
put("versions", c(R=R.version.string, sapply(c("metafor","psych","survival","cmprsk","mvtnorm","lme4"), function(p) as.character(packageVersion(p)))))
json <- function(v) {
  if (is.list(v)) return(paste0("{", paste(sprintf("\"%s\": %s", names(v), sapply(v, json)), collapse=", "), "}"))
  if (is.character(v)) { q <- paste0("\"", v, "\""); if (!is.null(names(v))) return(paste0("{", paste(sprintf("\"%s\": %s", names(v), q), collapse=", "), "}")); return(if (length(q)==1) q else paste0("[", paste(q, collapse=", "), "]")) }
  if (is.matrix(v)) return(paste0("[", paste(apply(v, 1, json), collapse=", "), "]"))
  f <- ifelse(is.na(v), "null", sprintf("%.15g", v)); if (length(f)==1) f else paste0("[", paste(f, collapse=", "), "]")
}
cat("{\n", paste(sprintf("\"%s\": %s", names(out), sapply(out, json)), collapse=",\n"), "\n}\n", sep="")
