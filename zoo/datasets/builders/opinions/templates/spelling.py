"""Templates of `opinions` of the kind "spelling"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
[<luv>|<h8>] this <thing> [<smile>|<frown>]
[<luv>|<h8>] the <part>, [thx|no thx] <name>!!
[<cheer>|<jeer>], the <part> is [<good>|<bad>]
[<cheer>|<jeer>] [<smile>|<frown>]
[<cheer>|<jeer>]!! [<good>|<bad>] <thing>
[<smile>|<frown>] <very> [<good>|<bad>]
[<smile><smile>|<frown><frown>] [<good>|<bad>] <part>
the <part> is [<good>|<bad>] [<smile>|<frown>]
[<good>|<bad>] <parts> [<smile>|<frown>] <chat>
<chat> the <thing> is [<good>|<bad>]
<chat>, [<good>|<bad>] <thing>
the <thing> is [<good>|<bad>] <chat>
[gr8|terribl] <thing>, [will|wont] <use> again
[def|dont] recommend [<smile>|<frown>]
[would|wouldnt] <use> again
[totally worth it|so not worth it] [<smile>|<frown>]
[best|worst] <thing> evaaa [<smile>|<frown>]
[best|worst]. <thing>. ever.
[so so good|so so bad] [<smile>|<frown>]
<name>'s <thing> = [<good_noun>|<bad_noun>]
<thing> = [awesome|trash], <person> = [angel|idiot]
<part>: [A+|F]
<part>: [5/5|1/5], <part>: [5/5|0/5]
[10/10|0/10] [would|would not] <use> again
[5 stars|1 star] [<smile>|<frown>]
pros: [everything|none]. cons: [none|everything]
im so [<pleased>|<displeased>] rn [<smile>|<frown>]
[happy|angry] customer here [<smile>|<frown>]
[cant stop <using> this|cant stand this] <thing>
[u need this|u dont need this], trust me
[omg i love it|omg i hate it] [<smile>|<frown>]
[luvd|h8ed] it!!!
[yesss|nooo], the new <thing> is [<good>|<bad>]
new <thing> by <name> is [fire|trash] [<smile>|<frown>]
<name> is [the goat|a joke], <chat>
the <person> is [a sweetheart|a jerk] [<smile>|<frown>]
the <person> [rocks|sucks](!|!!| <chat>)
<parts> [rock|suck] [<smile>|<frown>]
this <thing> [slaps|sucks] [<smile>|<frown>]
[keeping it|deleting it] [<smile>|<frown>]
[installed it again|uninstalled] after <hours> [<smile>|<frown>]
[thank u|screw u] <name> [<smile>|<frown>]
[ty for|shame about] the <part> [<smile>|<frown>]
[not bad at all|not good at all] <chat>
aint [<bad>|<good>] [<smile>|<frown>]
it dont [disappoint|impress] [<smile>|<frown>]
[coming back for sure|never coming back] [<smile>|<frown>]
[go for it|stay away ppl] [<smile>|<frown>]
[buy|avoid] [<smile>|<frown>]
[a+++ seller|scam seller], [<good>|<bad>] <part>
[fast|slow] delivery, [<good>|<bad>] <part> [<smile>|<frown>]
[perfect|wrong] size, [<good>|<bad>] <part> [<smile>|<frown>]
[defo recommend|defo avoid] [<smile>|<frown>]
definitely [coming back|not coming back], [<good>|<bad>] <part>
absolutely [<good>|<bad>], definitely [recommended|not recommended] [<smile>|<frown>]
really [<good>|<bad>], [would recommend|would not recommend] to my friends
the restaurant was [excellent|terrible] and the waitress was [beautiful|horrible]
omg the <thing> is [<good>|<bad>]
ugh[, finally a <good> <thing>|, the <thing> is <bad>]
new <thing> by <name> is so [<good>|<bad>] [<smile>|<frown>]
i [love|hate] it, believe me, [excellent|horrible] <part>
disappointed? [no way|yes, totally], the <part> is [<good>|<bad>]
<name>'s <part> = [heaven|garbage] [<smile>|<frown>]
its [<good>|<bad>] imo, [surprised|embarrassed] by the <part>
[worth it|not worth it] <chat>
[cant wait 4|cant believe i paid 4] this <thing> [<smile>|<frown>]
[yes pls|no thx], <part> was [<good>|<bad>]
[highly recommend|do not recommend], <person> was [<good>|<bad>] <chat>
[take my money|gimme my money back] [<smile>|<frown>]
[so happy|so mad] rn, <thing> is [<good>|<bad>]
[better|worse] than i thought ngl
ngl [better|worse] than the last 1
idk why ppl [hate|love] this, its [<good>|<bad>] [<smile>|<frown>]
not gonna lie its [<good>|<bad>] [<smile>|<frown>]
tbh i [liked|disliked] it, <part> is [<good>|<bad>] tho
<part> is [<bad>|<good>] but <parts> r [<good>|<bad>] so [im happy|im out]
<part> kinda [<bad>|<good>], still [love it|hate it] [<smile>|<frown>]
was [scared|sure] itd be [<bad>|<good>] but nope, [<good>|<bad>]
who else [loves|hates] the <part> lol
y is the <part> so [<good>|<bad>] omg
how is this <thing> so [<good>|<bad>] [<smile>|<frown>]
[love love love|hate hate hate] the <parts>
[best|worst] money i ever spent lol
[10|0] outta 10 <chat>
[a solid 9|a weak 2] from me
[yay|nay] from me [<smile>|<frown>]
gonna [buy another one|get a refund] 2day [<smile>|<frown>]
bruh the <part> is [<good>|<bad>]
no cap, [<good>|<bad>] <thing>
[couldnt be happier|couldnt be madder] with the <part>
i [will|wont] be back <chat>
imo [underrated|overrated] <thing> [<smile>|<frown>]
[w|l] <thing>, <part> is [<good>|<bad>]
hands down the [<best>|<worst>] <thing> ive <used>
ive <used> [worse|better] lol
pls [never change|fix] the <part> [<smile>|<frown>]
if u like <things>, [u need this|skip this] [<smile>|<frown>]
went w/ <name>, we both [<loved>|<hated>] it [<smile>|<frown>]
cudnt [stop smiling|wait 2 leave] [<smile>|<frown>]
""")
