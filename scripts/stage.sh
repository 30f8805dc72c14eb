# Sourced by the scripts that run one check after another.

# The modules without LibTorch, and those whose files take long to compile.
plain_modules=(base text kernels linear model runtime metrics data serve)
torch_modules=(nn train classification recommendation summarization tasks study cli)

#   stage NAME COMMAND...   runs COMMAND, prints its name and seconds, stops the script if it fails
stage() {
  local name=$1 started=$SECONDS status=0
  shift
  echo "== $name"
  "$@" || status=$?
  if ((status)); then
    echo "== $name: FAILED after $((SECONDS - started)) s" >&2
    exit "$status"
  fi
  echo "== $name: $((SECONDS - started)) s"
}

# Checks that take too long for each day alternate by date.
#   choice_of_today WORD...       prints one of the words
#   share_of_today N WORD...      prints every Nth word, with a different first word each day
choice_of_today() {
  local words=("$@")
  echo "${words[$((10#$(date +%j) % $#))]}"
}
share_of_today() {
  local n=$1 i
  shift
  local words=("$@")
  for ((i = 10#$(date +%j) % n; i < $#; i += n)); do echo "${words[$i]}"; done
}
