// For yosys' techmap: comparisons with a constant as logic. As a sum they take a carry cell, which is two LUTs, for two
// bits, and the way into and out of the chain is as long as three LUTs.
(* techmap_celltype = "$lt $le $gt $ge" *)
module compare_with_constant (A, B, Y);
  parameter _TECHMAP_CELLTYPE_ = "";
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTVAL_A_ = 0;
  parameter _TECHMAP_CONSTVAL_B_ = 0;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  localparam W = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;
  localparam A_CONST = &_TECHMAP_CONSTMSK_A_;
  localparam B_CONST = &_TECHMAP_CONSTMSK_B_;
  wire _TECHMAP_FAIL_ = A_SIGNED || B_SIGNED || (!A_CONST && !B_CONST);
  localparam [W-1:0] C = A_CONST ? _TECHMAP_CONSTVAL_A_ : _TECHMAP_CONSTVAL_B_;
  wire [W-1:0] v;
  generate if (A_CONST) assign v = B; else assign v = A; endgenerate
  // Whether the answer is v < C or v <= C, or else the complement of one of them.
  localparam BELOW = (_TECHMAP_CELLTYPE_ == "$lt" || _TECHMAP_CELLTYPE_ == "$le") ? !A_CONST : A_CONST;
  localparam STRICT = _TECHMAP_CELLTYPE_ == "$lt" || _TECHMAP_CELLTYPE_ == "$gt";
  localparam OR_EQUAL = BELOW ? !STRICT : STRICT;
  // below[i]: the low i bits of v are less than those of C, or equal to them where that counts.
  wire [W:0] below;
  assign below[0] = OR_EQUAL;
  genvar i;
  generate
    for (i = 0; i < W; i = i + 1) begin : each_bit
      assign below[i+1] = C[i] ? (~v[i] | below[i]) : (~v[i] & below[i]);
    end
  endgenerate
  assign Y = BELOW ? below[W] : !below[W];
endmodule
