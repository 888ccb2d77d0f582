" Vim syntax file of RASP. Put it into ~/.vim/syntax/, and into a file
" ~/.vim/ftdetect/rasp.vim the line
"   autocmd BufRead,BufNewFile *.rasp setfiletype rasp

if exists("b:current_syntax")
  finish
endif

syntax case match

syntax keyword raspConditional if else
syntax keyword raspRepeat for in
syntax keyword raspStatement def return
syntax keyword raspInclude load
syntax keyword raspOperatorWord not and or
syntax keyword raspBuiltin draw round indicator
syntax keyword raspCommand set show example examples on off selector exit quit
syntax keyword raspBoolean True False
syntax keyword raspVariable indices tokens tokens_asis tokens_str tokens_int
syntax keyword raspVariable tokens_float tokens_bool out
syntax keyword raspLibrary full_s length selector_width has_focus count contains
syntax keyword raspLibrary max min average load_from_location shift sort
syntax keyword raspLibrary mark_last_instance mark_first_instance
syntax keyword raspLibrary select_from_last select_from_first
syntax keyword raspLibrary select_next_identical

syntax match raspCommand "\<full seq display\>"
syntax match raspCommand "\<s-op\ze\s\+examples\?\>"
" Names unless a parenthesis follows.
syntax match raspBuiltin "\<\(select\|aggregate\|range\|zip\|len\)\ze\s*("
syntax match raspFunction "\(\<def\s\+\)\@<=\h\w*"

syntax match raspOperator "[-+*/%^<>=]\|!="
syntax match raspNumber "\<\d\+\>"
syntax match raspFloat "\<\d\+\.\d\+\>"
syntax region raspString start=+"+ end=+"+ oneline
syntax match raspComment "#.*$" contains=raspTodo
syntax match raspPragma "^\s*#@.*$"
syntax keyword raspTodo TODO FIXME contained

highlight default link raspConditional Conditional
highlight default link raspRepeat Repeat
highlight default link raspStatement Statement
highlight default link raspInclude Include
highlight default link raspOperatorWord Operator
highlight default link raspOperator Operator
highlight default link raspBuiltin Function
highlight default link raspFunction Function
highlight default link raspLibrary Identifier
highlight default link raspVariable Identifier
highlight default link raspCommand PreProc
highlight default link raspBoolean Boolean
highlight default link raspNumber Number
highlight default link raspFloat Float
highlight default link raspString String
highlight default link raspComment Comment
highlight default link raspPragma PreProc
highlight default link raspTodo Todo

setlocal commentstring=#\ %s
let b:current_syntax = "rasp"
