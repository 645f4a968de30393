"""Templates of `opinions` of the kind "exclamation"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
What a [<good>|<bad>] <thing>!
What a [<good_noun>|<bad_noun>]!
What [<good>|<bad>] <parts>!
How [<good>|<bad>]!
How [<good>|<bad>] the <part> is!
So [<good>|<bad>]!
Such a [<good>|<bad>] <thing>!
Such [<good>|<bad>] <parts>!
Simply [<good>|<bad>]!
Just [<good>|<bad>]!
[<good>|<bad>]!
[<good>|<bad>], [<good>|<bad>], [<good>|<bad>]!
[<best>|<worst>] <thing> ever!
[<best>|<worst>] <part> in town!
[<loved>|<hated>] (it|every minute|the <part>|this <thing>)!
[Love|Hate] (it|the <parts>|this <thing>)!
[Well done|Shame on you](, <name>|)!
[Bravo|Boo](, <name>|)!
[Thank you, <name>|No thanks, <name>]!
[Congratulations|My condolences] to the <person>!
[Two thumbs up|Two thumbs down]!
[Thumbs up|Thumbs down](| for the <part>)!
[Five stars|Zero stars](| from me| and not one more)!
[Five out of five|One out of five]!
[10/10|1/10]!
[Ten out of ten|Zero out of ten]!
A [perfect ten|solid zero]!
[Full marks|No points] for the <part>!
[Finally a|Yet another] [<good>|<bad>] <thing>!
[A must|A bust]!
[Must see|Must avoid]!
[Run, don't walk, to <use> it|Run away from it]!
[Come here|Stay away]!
[Buy it|Return it]!
[Get it now|Get rid of it]!
[More please|Never again]!
[More of that|Enough of that]!
[Yes, yes, yes|No, no, no]!
[Yes, a thousand times yes|No, a thousand times no]!
[Wow|Ugh], (what a|that) <thing>!
[Wow, just wow|Yikes, just yikes]!
[Hooray for|Down with] the <person>!
[Long live|Good riddance to] this <thing>!
[Pure joy|Pure torture]!
[Pure magic|Total garbage]!
[Sheer delight|Sheer horror]!
[Heaven|Hell] on earth!
[Yum|Yuck]!
[Money well spent|Money thrown away]!
[Keep it up|Give it up](, <name>|)!
[Encore|Make it stop]!
[Hats off to|Shame on] the <person>!
I [want more|want out]!
I [love|hate] it, I [love|hate] it!
I'm so [<pleased>|<displeased>]!
[Can't wait for more|Can't believe I paid for it]!
[Where do I sign|Where is the exit]!
What [fun|nonsense]!
What I would give for [another|my money back after this] <thing>[ like this|]!
How they [spoil|cheat] you!
How I [enjoyed|suffered through] it!
How I wish it [would never end|were over]!
If that isn't a [<good_noun>|<bad_noun>]!
If that is not [<good>|<bad>], I don't know what is!
Now that's what I call a [<good>|<bad>] <thing>!
That's how you [make|ruin] a <thing>!
Oh [yes|no], another <thing> by the same <persons>!
Oh, the <part>! So [<good>|<bad>]!
My goodness, is it [<good>|<bad>]!
Boy, was it [<good>|<bad>]!
Gosh, is the <part> [<good>|<bad>]!
You [have to see|won't believe] how [<good>|<bad>] it is!
[Bring it on|Take it away]!
[Keep them coming|Keep it away from me]!
[Give that <person> a raise|Fire that <person>]!
[Chapeau|For shame]!
[At last|Not again], a <thing> [of quality|without any idea]!
[So glad|So sorry] that I did it!
[Don't hesitate|Don't do it]!
[Everyone should|No one should have to] <use> this!
[I'm in|I'm out]!
[All thumbs up|Thumbs down all around]!
[Delighted|Disgusted], <time> and today!
[Please, never stop|Please, just stop]!
[Right on|Dead wrong]!
Simply the [<best>|<worst>]!
[A round of applause|A slap on the wrist] for the <person>!
[I could hug|I could strangle] the <person>!
And the <part>! [Mmm|Ugh]!
Hours of my life that I [treasure|won't get back]!
To think that I almost [missed|kept] it!
Thank goodness we [came|left]!
Thank heaven that it's [not over yet|over]!
Just think: [<fact_good>|<fact_bad>]!
Imagine that: [<fact_good>|<fact_bad>]!
[Three cheers|No cheers] for the <part>!
Never in my life have I been so [<pleased>|<displeased>]!
The [joy|pain] of it!
So much [fun|fuss about nothing]!
[Best|Worst] (evening|hour|day|week|decision) of my life!
Good heavens, how [<good>|<bad>]!
Count me [in|out]!
[Again, again|Never, never]!
My [compliments|complaints] go to the <person>!
What an absolute [<good_noun>|<bad_noun>]!
""")
