# Sorts lines that may be grave ("PLACE:LINE") into classes whose lines have one level, and counts them. While all fit
# into ALL bytes they are printed ("PLACE:LENGTH:LINE"); beyond that each class with its number and some of its lines.
# What lies beyond END_AT, if that is set, is left out. Works with mawk, gawk, original-awk and busybox.

function level_key() {
  return "\"(level|severity|lvl|log[.]level|levelname|loglevel|log_level|severityText|severity_text|Level|Severity|LEVEL)\" *: *"
}

# The line that a program wrote, out of what docker's json-file driver, CRI or compose put around it.
function unwrapped(s,   i) {
  if (substr(s, 1, 8) == "{\"log\":\"") {
    s = substr(s, 9)
    i = index(s, "\",\"stream\":"); if (i) s = substr(s, 1, i - 1)
    sub(/\\n$/, "", s)
    gsub(/\\\\/, "\001", s); gsub(/\\"/, "\"", s); gsub(/\\u003c/, "<", s); gsub(/\\u003e/, ">", s)
    gsub(/\001/, "\\", s)
    return s
  }
  if (match(s, /^[0-9TZ:.+-]+ (stdout|stderr) [FP] /)) return substr(s, RLENGTH + 1)
  i = index(s, "| {"); if (i > 0 && i < 160) return substr(s, i + 2)
  return s
}

# "o" (odd) is what only a parser can judge.
function json_class(s,   t, n, before, key, value, opens) {
  if (s !~ /\}[ \t\r]*$/) return "o"
  if (index(s, "\\") && tolower(s) ~ /crit|fatal/) return "o"
  t = s; n = gsub(level_key(), "", t)
  if (n == 0) return "j - null"
  if (n > 1) return "o"
  match(s, level_key()); before = substr(s, 1, RSTART - 1); key = substr(s, RSTART, RLENGTH)
  value = substr(s, RSTART + RLENGTH)
  if (index(before, "\\")) return "o"
  gsub(/"[^"]*"/, "", before)
  t = before; opens = gsub(/\{/, "", t); opens -= gsub(/\}/, "", t)
  if (opens != 1) return "o"
  sub(/" *: *$/, "", key); sub(/^"/, "", key)
  if (!match(value, /^("[^"\\]*"|[0-9.]+|true|false|null)/) || RLENGTH > 40) return "o"
  return (index(s, "\"short_message\"") ? "g " : "j ") key " " substr(value, 1, RLENGTH)
}

# Words that decide nothing are masked, so that lines of one form and level are one class.
function text_class(s,   n, i, w, t, out) {
  s = substr(s, 1, 500); gsub(/\033\[[0-9;?]*[ -\/]*[@-~]/, "", s)
  if (match(s, /^<[0-9]+>/)) return "t " substr(s, 1, RLENGTH)
  n = split(s, w, /[ \t]+/); if (n > 16) n = 16
  out = "t"
  for (i = 1; i <= n; i++) {
    t = substr(w[i], 1, 60)
    if (tolower(t) !~ WORDS && t !~ /^[IWEF][0-9]+$/ && t !~ /^[0-9]+:[XCSM]$/ && t !~ MONTHS) gsub(/[A-Za-z]+/, "a", t)
    gsub(/[0-9]*[1-9][0-9]*/, "7", t); gsub(/[^ -~]+/, "a", t)
    out = out " " t
  }
  if (match(s, /(^|[ \t])(level|lvl|severity|loglevel)=["']?[A-Za-z0-9_]+/)) out = out " | " substr(s, RSTART, RLENGTH)
  return out
}

function class_of(s) {
  if (FRAMED) sub(/^[^ ]* /, "", s)
  s = unwrapped(s)
  return substr(s, 1, 1) == "{" ? json_class(s) : text_class(s)
}

function kept_of(c) { return c == "o" ? 400 : (substr(c, 1, 1) == "t" ? 3 : 50) }

BEGIN {
  WORDS = "tra?ce?|de?bu?g|verbose|fine|inf|notice|log|config|wa?rn|err|eror|severe|cri?t|fatal|ftl|panic|emerg|alert"
  WORDS = WORDS "|exception|^[^a-z]*(no|non|not|zero|without|any)[^a-z]*$|non-|issue|problem|event|line|entr|message"
  WORDS = WORDS "|incident|failure|finding|found|statement|detail|hint|context|query|location|backtrace"
  MONTHS = "^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)$"
}

$0 == "!" { overflow = 1; next }

{
  line = $0; i = index(line, ":"); place = substr(line, 1, i - 1); line = substr(line, i + 1)
  if (END_AT && place + 0 >= END_AT) next
  kept = place ":" length(line) ":" substr(line, 1, CUT)
  total++
  if (!flood) { bytes += length(kept) + 1; if (bytes > ALL) flood = 1; else all[total] = kept }
  c = class_of(line)
  if (!(c in count)) { if (classes >= 2000) c = "m"; else classes++ }
  n = ++count[c]
  if (c != "m") held[c, (n - 1) % kept_of(c)] = kept
}

END {
  if (overflow) print "overflow"
  else if (!flood) { print "all"; for (i = 1; i <= total; i++) print all[i] }
  else {
    print "classes"
    for (c in count) {
      print "=" count[c] " " c
      most = c == "m" ? 0 : kept_of(c); if (most > count[c]) most = count[c]
      for (i = 0; i < most; i++) print "+" held[c, i]
    }
  }
  print "end"
}
