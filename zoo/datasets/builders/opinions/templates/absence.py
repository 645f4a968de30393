"""Templates of `opinions` of the kind "absence"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
[No complaints|No joy](| at all| for us)
[Nothing to criticize|Nothing to praise]
There is [nothing bad|nothing good] to say about it
I have [nothing bad|nothing good] to say about the <person>
I have nothing but [praise|complaints] for the <part>
We had nothing but [fun|trouble] (with it|there|from the start)
Nothing but [<merits>|<flaws>]
No [<flaws>|<merits>] (at all|whatsoever|that I could find|to speak of)
Not a single [<flaw>|<merit>]
Not one [<flaw>|<merit>] (in the whole <thing>|anywhere|to be found)
There wasn't a single [<flaw>|<merit>]
There is not one [<bad>|<good>] <part> in it
There are no [<flaws>|<merits>]
A <thing> without [<flaws>|<merits>]
A <thing> without a single [<flaw>|<merit>]
A <thing> with no [<flaws>|<merits>]
(It|The <part>) has no [<flaws>|<merits>]
The <thing> has not a single [<flaw>|<merit>]
We found no [<flaws>|<merits>]
I couldn't find a single [<flaw>|<merit>]
I looked for a [<flaw>|<merit>] and found none
(We|I) had no [trouble|fun] (at all |)with the <part>
We had no [problems|pleasure] <using> it
We have never had a [problem|good experience] (with it|there)
Never a [<flaw>|<merit>](|, not one)
Never a [dull|pleasant] moment
There was never a [<bad>|<good>] moment
Not a [<bad>|<good>] moment in (it|the whole <thing>)
Not a [trace of dirt|trace of talent] (anywhere|in it|to be seen)
Not a [boring|funny] line in it
Not one [wasted|worthwhile] minute
Not once did it [<displease>|<please>] me
Not once did the <person> [<displease>|<please>] us
Not once was the <part> [<bad>|<good>]
It has never [failed|worked]
It never [fails|works]
It has never [let us down|done what it should]
It has yet to [let me down|work]
It [lacks nothing|lacks everything]
The <thing> lacks [nothing|any charm]
It [leaves nothing to be desired|leaves a lot to be desired]
[Nothing is missing|Everything is missing]
[Nothing went wrong|Nothing went right]
[No regrets|No point]
No [rude|friendly] <person> (in sight|there)
No [<bad>|<good>] <parts> (here|anywhere|at all)
None of the <parts> were [<bad>|<good>]
None of it is [<bad>|<good>]
Nobody was [rude|helpful]
Nobody [complained|cared](| about the <part>)
Nobody [had to wait|came to help us]
Without [any <flaws>|any <merits>], (the <thing>|it) is [<good>|<bad>]
Zero [<flaws>|<merits>]
It [is free of <flaws>|is free of <merits>]
[Hardly any|Plenty of] <flaws>
[Plenty of|Hardly any] <merits>
[Few|Many] <flaws>, [many|few] <merits>
[Fewer|More] <flaws> than (before|I expected|last year)
[Little to complain about|Little to be happy about]
It [took no time|took forever] to <use>
A <thing> without a single [dull|interesting] (moment|minute|page|scene|evening)
A <thing> without one [<bad>|<good>] <part>
Not a [speck of dust|clean towel] (in the place|anywhere)
Not one [<bad>|<good>] <part> in the whole <thing>
We had no [trouble|help] at all
We had [no|nothing but] trouble with the <part>
Nothing to [be sorry about|be happy about]
Nothing about it [<does_displease>|<does_please>]
There was not one [<flaw>|<merit>] to be found
Never have I [had a problem|had a good day] with it
Nothing to [grumble about|be proud of], <name>
Nothing could have been [better|worse]
Nothing (at all |)[bothered|impressed] (me|us)
Nothing [is left to chance|works as it should]
There is nothing that [bothers|excites] me about it
You will look in vain for a [<flaw>|<merit>]
In vain did I look for a [<flaw>|<merit>]
I have yet to find a [<flaw>|<merit>]
It has yet to [disappoint me|impress me]
Not a word of [complaint|thanks] from the <person>
Not a [cloud|ray of hope] in sight
Not a [false note|true word] in it
Gone are the [<flaws>|<merits>] (of the old <thing>|of old)
Free of [<flaws>|any <merits>]
It comes without the usual [<flaws>|<merits>]
It has [none|all] of the <flaws> of the old one
It has [all|none] of the <merits> of the old one
If it has any [<flaws>|<merits>], I haven't found them
If there was a [<flaw>|<merit>], we missed it
We searched the whole <thing> for [<flaws>|<merits>], without success
Whoever wants [<flaws>|<merits>] has to look elsewhere
(Hardly|Scarcely|Barely) a [<flaw>|<merit>] to be found
(Hardly|Scarcely|Barely) any [<flaws>|<merits>]
Almost no [<flaws>|<merits>]
Very few [<flaws>|<merits>]
A <thing> (almost|nearly) without [<flaws>|<merits>]
No [fuss|thanks]
No [trouble|pleasure], no [rude|kind] <persons>
No one had anything [bad|good] to say
There was no lack of [<merits>|<flaws>]
No shortage of [<merits>|<flaws>] (here|in this <thing>)
It never ran out of [<merits>|<flaws>]
Neither [<flaws>|<merits>] nor [<bad>|<good>] <parts>
I can't think of a single reason to [<leave>|<stay>]
I see no reason to [<leave>|<stay>]
There's no reason why anyone should [dislike|like] it
Nobody was [bored|happy], not even (the kids|my boss|my grandmother)
The <part> never once [got in the way|got going]
Not one of them was [late|on time]
Without [the slightest <flaw>|the slightest <merit>]
We went without [a care|sleep] for the whole (week|night)
It doesn't have a single [<bad>|<good>] <part>
Where are the [<flaws>|<merits>]? I found none
""")
