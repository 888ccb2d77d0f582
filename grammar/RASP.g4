// The RASP language: sections 2 to 4 and 16.1 of the language document.
//
// Expressions are written as one rule per level of precedence, loosest first,
// so that every decision but one is made on a single token of lookahead. (The
// exception: after a name at the start of a statement, the next token tells an
// assignment from an expression.) All binary levels and the ternary associate
// to the left. Alternatives are labelled; a rule with one alternative is named
// by itself.
//
// The grammar has two start rules. `program` reads what ends in `;` or `}`.
// A `shellCommand` has no terminator but the end of its line, so whoever drives
// the parser hands it over by itself.

grammar RASP;

program : statement* EOF ;

// ---- Statements ----

statement
  : names '=' expressions ';'                                  # Assignment
  | expression ';'                                             # Evaluation
  | 'def' Identifier '(' names? ')'
      '{' statement* returned '}'                              # Definition
  | 'for' names 'in' expression '{' statement* '}'             # Loop
  | 'load' String ';'                                          # Load
  | 'draw' '(' expression (',' expression)? ')' ';'            # Draw
  ;

returned : 'return' expressions ';' ;

names : Identifier (',' Identifier)* ;

expressions : expression (',' expression)* ;

// ---- Expressions, loosest first ----

expression : ternary ('in' ternary)* ;

ternary : logical ('if' expression 'else' logical)* ;

logical : comparison (('and' | 'or') comparison)* ;

comparison : sum (('==' | '<=' | '>=' | '<' | '>') sum)* ;

sum : remainder (('+' | '-') remainder)* ;

remainder : product ('%' product)* ;

product : power (('*' | '/') power)* ;

power : prefixed ('^' prefixed)* ;

prefixed : ('not' | '-' | '+')* postfixed ;

postfixed : primary suffix* ;

suffix
  : '[' expression ']'                                         # Index
  | '(' expressions? ')'                                       # Call
  ;

primary
  : '(' expression ')'                                         # Parentheses
  | Identifier                                                 # Name
  | Integer                                                    # IntegerLiteral
  | Float                                                      # FloatLiteral
  | String                                                     # StringLiteral
  | '[' (expression (comprehension | (',' expression)*))? ']'  # List
  | '{' (entry (comprehension | (',' entry)*))? '}'            # Dict
  | 'round' '(' expression ')'                                 # Round
  | 'indicator' '(' expression ')'                             # Indicator
  | SelectOpen expression ',' expression ','
      ('==' | '!=' | '<=' | '>=' | '<' | '>') ')'              # Select
  | AggregateOpen expression ',' expression
      (',' expression)? ')'                                    # Aggregate
  | RangeOpen expressions ')'                                  # Range
  | ZipOpen expressions ')'                                    # Zip
  | LenOpen expression ')'                                     # Len
  ;

entry : expression ':' expression ;

comprehension : 'for' names 'in' expression ;

// ---- Commands of the interactive shell ----

shellCommand
  : 'set' exampleKind? 'example' expression                    # SetExample
  | 'show' exampleKind? 'example'                              # ShowExample
  | exampleKind? 'examples' ('on' | 'off')                     # ToggleExamples
  | FullSeqDisplay ('on' | 'off')                              # ToggleDisplay
  | ('exit' | 'quit') ('(' ')')?                               # Leave
  ;

// The first is `s-op`, which elsewhere is the difference of two variables.
exampleKind
  : Identifier '-' Identifier                                  # SopExample
  | 'selector'                                                 # SelectorExample
  ;

// ---- Tokens ----

If : 'if' ;
Else : 'else' ;
Not : 'not' ;
And : 'and' ;
Or : 'or' ;
In : 'in' ;
For : 'for' ;
Def : 'def' ;
Return : 'return' ;
LoadWord : 'load' ;
DrawWord : 'draw' ;
RoundWord : 'round' ;
IndicatorWord : 'indicator' ;
Set : 'set' ;
Show : 'show' ;
Example : 'example' ;
Examples : 'examples' ;
On : 'on' ;
Off : 'off' ;
Selector : 'selector' ;
Exit : 'exit' ;
Quit : 'quit' ;
FullSeqDisplay : 'full seq display' ;

// These words are names unless a parenthesis follows.
SelectOpen : 'select' Blank* '(' ;
AggregateOpen : 'aggregate' Blank* '(' ;
RangeOpen : 'range' Blank* '(' ;
ZipOpen : 'zip' Blank* '(' ;
LenOpen : 'len' Blank* '(' ;

OpenParen : '(' ;
CloseParen : ')' ;
OpenBracket : '[' ;
CloseBracket : ']' ;
OpenBrace : '{' ;
CloseBrace : '}' ;
Comma : ',' ;
Semicolon : ';' ;
Colon : ':' ;
Assign : '=' ;
Equal : '==' ;
NotEqual : '!=' ;
LessEqual : '<=' ;
GreaterEqual : '>=' ;
Less : '<' ;
Greater : '>' ;
Plus : '+' ;
Minus : '-' ;
Star : '*' ;
Slash : '/' ;
Percent : '%' ;
Caret : '^' ;

Identifier : [a-zA-Z_] [a-zA-Z_0-9]* ;
Integer : [0-9]+ ;
Float : [0-9]+ '.' [0-9]+ ;
String : '"' ~["\r\n]* '"' ;

Comment : '#' ~[\r\n]* -> skip ;
Spaces : Blank+ -> skip ;
ByteOrderMark : [\uFEFF] -> skip ;

// What no other rule takes becomes a token, so that the parser can say what is
// wrong with it in its place.
UnterminatedString : '"' ~["\r\n]* ;
UnknownCharacter : . ;

fragment Blank : [ \t\r\n] ;
