# Completion of quire in bash, by way of the package bash-completion. It knows no command and no option: quire tells
# them with --help=words, and the functions of the module table with `scripts list`.

# _quire_values NAME: completes the value of an option, or a word, that is called NAME in the help.
_quire_values() {
  case $1 in
    FILE* | PROGRAM*) _filedir ;;
    FOLDER*) _filedir -d ;;
    FUNCTION*) mapfile -t COMPREPLY < <(compgen -W "$("${words[0]}" scripts list 2>/dev/null |
                                                        awk 'NR > 1 { print $1 }')" -- "$cur") ;;
    *'|'*) mapfile -t COMPREPLY < <(compgen -W "${1//|/ }" -- "$cur") ;;
  esac
}

_quire() {
  local cur prev words cword split
  _init_completion -s || return

  # The command and its part: as many words as are names in the table of the one before.
  local -a command=("${words[0]}")
  local table next=1
  table=$("${command[@]}" --help=words 2>/dev/null)
  while ((next < cword)) && awk -F'\t' -v word="${words[next]}" \
      '$1 == "part" && $2 == word { found = 1 } END { exit !found }' <<<"$table"; do
    command+=("${words[next++]}")
    table=$("${command[@]}" --help=words 2>/dev/null)
  done

  local value
  value=$(awk -F'\t' -v option="$prev" '$1 == "option" && $2 == option { print $3 }' <<<"$table")
  if [[ -n $value ]]; then
    _quire_values "$value"
  elif [[ $split == true ]]; then
    return
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(awk -F'\t' '$1 == "option" { print $2 }' <<<"$table")" -- "$cur")
  elif grep -q '^part' <<<"$table"; then
    mapfile -t COMPREPLY < <(compgen -W "$(awk -F'\t' '$1 == "part" { print $2 }' <<<"$table")" -- "$cur")
  else
    value=$(awk -F'\t' '$1 == "word" { print $2; exit }' <<<"$table")
    # The first word is what the usage says; what follows it may well be a file.
    if ((next == cword)) || [[ $value == *… ]]; then _quire_values "$value"; else _filedir; fi
  fi
} &&
complete -F _quire quire
