# Of each function that `nvdisasm -c` prints, the innermost loop with most FFMA:
# name, instructions, FFMA, then loads of 16, 8, 4 and fewer bytes from global memory, and of 16, 8, 4 and fewer from local.

function bytes_of(code) {
    if (code ~ /\.128/) return 16
    if (code ~ /\.64/) return 8
    return code ~ /\.[US](8|16)/ ? 1 : 4
}

# A loop goes from where a branch leads back to, to the last branch that leads there.
function end_of_function(    i, j, head, is_innermost, from, to, best) {
    split("", last)
    for (i = 1; i <= count; i++)
        if (goal[i] != "" && (goal[i] in at) && at[goal[i]] < i) last[at[goal[i]]] = i
    from = to = 0
    best = -1
    for (head in last) {
        is_innermost = 1
        for (j in last) if (j + 0 > head + 0 && j + 0 <= last[head]) is_innermost = 0
        if (!is_innermost) continue
        fused = 0
        for (i = head + 0; i <= last[head]; i++) if (code[i] ~ /^FFMA/) fused++
        if (fused > best || (fused == best && head + 0 < from)) {
            best = fused
            from = head + 0
            to = last[head]
        }
    }
    if (best > 0) describe(from, to, best)
    split("", at)
    count = 0
}

function describe(from, to, fused,    i, instructions, loads) {
    split("", loads)
    for (i = from; i <= to; i++) {
        if (code[i] !~ /^NOP/) instructions++
        if (code[i] ~ /^LDG?(\.|$)/) loads["global", bytes_of(code[i])]++
        if (code[i] ~ /^LDS/) loads["local", bytes_of(code[i])]++
    }
    print name, instructions, fused, loads["global", 16] + 0, loads["global", 8] + 0, loads["global", 4] + 0,
        loads["global", 1] + 0, loads["local", 16] + 0, loads["local", 8] + 0, loads["local", 4] + 0, loads["local", 1] + 0
}

/^\.text\./ { end_of_function(); name = substr($1, 7); sub(/:$/, "", name) }
/^\.L_[A-Za-z0-9_]*:/ { label = $1; sub(/:$/, "", label); at[label] = count + 1 }
/^ *\/\*[0-9a-f]+\*\/ / {
    sub(/^ *\/\*[0-9a-f]+\*\/ */, "")
    sub(/^@!?U?P[0-9T]+ */, "")
    code[++count] = $1
    goal[count] = ""
    if ($1 ~ /^BRA/ && match($0, /`\(\.L_[A-Za-z0-9_]*\)/)) goal[count] = substr($0, RSTART + 2, RLENGTH - 3)
}
END { end_of_function() }
