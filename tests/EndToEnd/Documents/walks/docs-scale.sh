# The seed is always the same, so the table is, too; a last digit may be another where logarithms are computed otherwise.
run 1.1
for number in "3,000 " "6,000 " "7,500 "; do
    says "$number"
done
grep -E "^ *6,000 +6,[01][0-9]{2} +4\.[23]" "$WALK/output"

# So many machines, or one more or less.
run 2.1
grep -E "^ +0 .* 4[345]  +0 " "$WALK/output"
grep -E "^ +8 .* (31|32|33)  +2[456]. " "$WALK/output"
run 2.2
grep -E "^ +0 .* 2[567]  +0 " "$WALK/output"
grep -E "^ +8 .* 2[123]  +1[678]. " "$WALK/output"
