"""Templates of `opinions` of the kind "plain"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
The <thing> was [<good>|<bad>]
(The|Their|This) <part> is [<good>|<bad>]
A [<good>|<bad>] <thing>
A [<good>|<bad>] and [<good>|<bad>] <thing>
[<good>|<bad>] <parts>(, | and )[<good>|<bad>] <part>
The <part> is [<good>|<bad>] and the <parts> are [<good>|<bad>]
The <parts> were [<good>|<bad>](| <time>)
I [<loved>|<hated>] (the|this|that) <thing>
I [<loved>|<hated>] the <part>
<we> [<loved>|<hated>] (it|every minute of it|the <parts>)
(It|This) is a [<good_noun>|<bad_noun>]
The <part> is a [<good_noun>|<bad_noun>]
The <thing> [<works>|<fails>]
The <part> [<works>|<fails>]
The <person> was [<good>|<bad>]
<friend> was [<pleased>|<displeased>]
We were [<pleased>|<displeased>] with the <part>
The <part> [<does_please>|<does_displease>]
I [<love>|<hate>] (the|their) <parts>
A <thing> to [<love>|<hate>]
A <thing> full of [<merits>|<flaws>]
The <part> has [charm|no charm], and the <parts> are [<good>|<bad>]
The <thing> has its [<merits>|<flaws>] and the <person> is [<good>|<bad>]
The <person> [deserves a medal|should be fired]
I [am glad|regret] that we went <again>
It was worth [every penny|nothing]
[Worth the money|Not worth the money]
[Worth every cent|A waste of every cent]
I [recommend|advise against] this <thing>
[Highly recommended|Best avoided]
The <part> <seems> [<good>|<bad>]
It <seems> [<good>|<bad>]
Everything <seems> [<good>|<bad>]
The <thing> <seems> [<good>|<bad>] and the <part> [<works>|<fails>]
The <part> is [a pleasure|a pain]
I recommend it to [everyone|no one]
A [<good_noun>|<bad_noun>](| of a <thing>| from <place>)
(This|The) <thing> is (simply |clearly |)a [<good_noun>|<bad_noun>]
[<good>|<bad>] <thing>, [<good>|<bad>] <person>
The <persons> are [<good>|<bad>]
It [<suits>|<puts_off>]
This <thing> really [<suits>|<puts_off>]
<we> [would do it all again|want to forget it]
(He|She|The <person>) was so [kind|rude] to us
They [got everything right|got everything wrong]
One can only [marvel|shake one's head] at the <part>
You can [trust|forget] this <thing>
I give it [nine|two] out of ten
[Nine|Two] points out of ten from me
Everybody at home [<loved>|<hated>] the <parts>
She [<loved>|<hated>] the <part>, and so did I
His <thing> was [<good>|<bad>], and mine (is|was), too
It has been [<good>|<bad>] for (years|weeks|as long as I can remember)
The <part> has become [<better>|<worse>]
The <part> [lifts up|drags down] the whole <thing>
From the <part> to the <parts>, (it was |)all [<good>|<bad>]
The [good|bad] news: [<fact_good>|<fact_bad>]
Count on a [<good>|<bad>] <thing> and [<good>|<bad>] <parts>
[Go while you can|Get out while you can]
[Go and see for yourself|Take my word for it and stay away]
[Save up for it|Save your money]
My advice: [go for it|keep your distance]
Mine [still works|broke] after <hours> in the rain
It (was|is) [a good|a bad] choice
I [enjoyed|endured] every minute of it
I [happily spent|wasted] <hours> on it
The <person> [helped|ignored] us (all day|from the start|the whole time)
They [listened to|laughed at] us
The <part> [<won>|<lost>]
The <person> [<won>|<lost>](| as always| again| this time)
""")
