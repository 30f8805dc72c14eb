# Sourced by the scripts that run one gate after another.
#
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
