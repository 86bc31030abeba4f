# Asked by kprov of the R that a command runs on: R ... -e <this>, on one line, with wants_packages set
# before it. Reads only.
quoted <- function(x) ifelse(is.na(x), "null", paste0('"', gsub('(["\\\\])', '\\\\\\1', x), '"'));
told <- paste0('{"version":', quoted(as.character(getRversion())));
executable <- file.path(R.home("bin"), "exec", "R");
if (!file.exists(executable)) executable <- file.path(R.home("bin"), "R");
told <- paste0(told, ',"executable":', quoted(normalizePath(executable, mustWork = FALSE)));
conda <- file.path(R.home(), "..", "..", "conda-meta");
if (dir.exists(conda)) told <- paste0(told, ',"conda":', quoted(normalizePath(conda)));
if (wants_packages) { found <- installed.packages(fields = c("RemoteType", "RemoteSha"), noCache = TRUE); found <- found[!duplicated(found[, "Package"]), , drop = FALSE]; rows <- paste0('{"name":', quoted(found[, "Package"]), ',"version":', quoted(found[, "Version"]), ',"type":', quoted(found[, "RemoteType"]), ',"sha":', quoted(found[, "RemoteSha"]), '}'); told <- paste0(told, ',"packages":[', paste(rows[nrow(found) > 0], collapse = ","), ']') };
cat("\nkprov:", told, "}\n", sep = "")
