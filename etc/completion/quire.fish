# Completion of quire in fish. It knows no command and no option: quire tells them with --help=words, and the
# functions of the module table with `scripts list`.

function __quire_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l command $typed[1]
    set -l table ($command --help=words 2>/dev/null)
    for word in $typed[2..]
        string match -q -r "^part\t"(string escape --style=regex -- $word)"\t" $table; or break
        set -a command $word
        set table ($command --help=words 2>/dev/null)
    end
    set -l value (string match -r -g "^option\t"(string escape --style=regex -- $typed[-1])"\t([^\t]+)\t" $table)
    test -n "$value"; or string match -q -- '-*' $current; or set value (string match -r -g '^word\t(.*)' $table)[1]
    switch "$value"
        case 'FUNCTION*'
            $typed[1] scripts list 2>/dev/null | awk 'NR > 1 { print $1 }'
        case 'FILE*' 'PROGRAM*'
            __fish_complete_path $current
        case 'FOLDER*'
            __fish_complete_directories $current
        case '*|*'
            string split '|' $value
        case '*'
            if not string match -q -- '-*' $current
                string match -r -g '^part\t(.*)' $table
                return
            end
            string replace -r '^option\t([^\t]*)\t[^\t]*\t' '$1\t' (string match -r '^option\t.*' $table)
    end
end

complete -c quire -f -a '(__quire_complete)'
