"""Words that passwords are made of when people do not think of anything else: tried first by whoever guesses.

Put together for mbc from what is general knowledge about such passwords: words of signing in, affection, names,
animals, sports clubs, places, seasons and days, keyboards, in English and some neighbouring languages, and a
clinic's own words. No list of stolen passwords was used.
"""

from __future__ import annotations

_TEXT = """
password passwort passwords passe motdepasse contrasena wachtwoord senha parola haslo losenord salasana welcome
willkommen bienvenue bienvenido letmein login logon signin access enter open sesame changeme change please
default temp temporary test testing tester demo guest user username admin administrator root system server
windows microsoft office google apple samsung android iphone internet computer laptop desktop network wireless
router secret secure security private hidden unlock master manager mobile website account email facebook
instagram twitter youtube iloveyou iloveu loveyou love lover loveme lovely forever always baby babygirl babyboy
angel honey sweetheart sweety darling princess prince queen king family mother father mommy daddy sister brother
friends friend bestfriend happy sunshine rainbow flower flowers butterfly beautiful gorgeous smile dreams dream
heaven blessed blessing jesus christ church faith hope grace trustno trust believe freedom peace monkey dragon
tiger lion eagle eagles bear bears wolf wolves horse horses dolphin dolphins kitten kitty puppy doggy doggie
panda turtle penguin shadow phoenix unicorn mustang falcon falcons panther panthers cowboy cowboys superman
batman spiderman ironman starwars startrek pokemon pikachu naruto minecraft fortnite roblox mario zelda hello
goodbye thank thanks sorry whatever nothing something everything anything money dollar rich lucky winner
football soccer baseball basketball hockey tennis golf rugby cricket sports player champion champions liverpool
arsenal chelsea manchester united city everton tottenham barcelona madrid real juventus bayern dortmund celtic
rangers newcastle leeds milan inter ajax lakers yankees redsox steelers packers raiders giants london paris
berlin munich hamburg vienna zurich geneva rome venice lisbon dublin edinburgh glasgow birmingham amsterdam
brussels stockholm oslo copenhagen helsinki warsaw prague athens moscow newyork boston chicago houston dallas
seattle denver toronto montreal sydney melbourne england scotland ireland germany deutschland france espana
italia america australia canada europe spring summer autumn winter fall january february march april june july
august september october november december januar februar maerz mai juni juli oktober dezember monday tuesday
wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag morning
evening night weekend holiday christmas easter birthday today tomorrow yesterday black white green blue yellow
orange purple pink silver golden gold red brown michael michelle jennifer jessica ashley amanda daniel david
robert matthew joshua andrew james john joseph thomas william richard charles anthony christopher nicholas
alexander alexandra benjamin samuel jonathan jordan justin brandon tyler kevin brian eric steven patrick george
edward henry peter paul mark simon martin stefan andreas thorsten sebastian maximilian leon lukas felix jonas
hannah emma mia sophia sophie anna laura lisa sarah julia nicole melissa stephanie elizabeth rebecca rachel
samantha natalie victoria charlotte olivia emily isabella amelia maria barbara susan linda patricia karen nancy
betty helen sandra donna carol ruth sharon maggie charlie buddy bailey cookie ginger pepper max bella molly lucy
daisy rocky buster jake diamond crystal star stars starlight moon moonlight galaxy cosmos thunder lightning
storm fire water ocean mountain river forest garden chocolate strawberry banana cherry coffee pizza cheese
burger beer whiskey vodka guitar music dance dancer dancing rock metal metallica nirvana beatles eminem therapy
therapist therapists clinic clinics clinician clinicians counselling counseling counsellor counselor couples
patient patients client clients doctor doctors nurse hospital health healthcare mental psychology psychologist
psychotherapy psychiatry practice praxis therapie klinik session sessions record records mbc qwerty qwertz
azerty qwertyuiop asdfghjkl zxcvbnm qazwsx qazwsxedc zaqxsw abc abcd abcdef xyz correcthorsebatterystaple
correcthorse batterystaple thequickbrownfox quickbrownfox jumpsoverthelazydog tobeornottobe maytheforcebewithyou
iamyourfather nevergonnagiveyouup winteriscoming openthedoor the and you are not with for this that from have
our new old best first last only just very really super mega ultra big little good great cool hot sexy nice fun
my your number one two three four five six seven eight nine ten
"""
COMMON_WORDS = frozenset(_TEXT.split())
LONGEST_WORD = max(map(len, COMMON_WORDS))
