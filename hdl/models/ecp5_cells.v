// Models of the ECP5 cells that yosys makes of the softcore and the NIC, for simulating their netlists: without delays, from
// zero. Verified by `cosim/tests/softcore`, in which the softcore of these cells runs beside a reference.
//
// Memories: both ports of one width, as the NIC has them; resets of outputs come before enables. Reads and writes of
// one address in one cycle give the old word, which no design here relies on.

// A netlist stands behind this text: it leaves pins open that its cells do not use, which read zero.

/* verilator lint_off PINMISSING */
/* verilator lint_off WIDTH */
/* verilator lint_off DECLFILENAME */
/* verilator lint_off MULTITOP */
module LUT4 #(parameter [15:0] INIT = 0)(input wire A, input wire B, input wire C, input wire D, output wire Z);
  assign Z = INIT[{D, C, B, A}];
endmodule

// Two bits of a carry chain: in each the LUT propagates the carry, and its lower quarter generates one.
module CCU2C #(parameter [15:0] INIT0 = 0, parameter [15:0] INIT1 = 0, parameter INJECT1_0 = "YES", parameter INJECT1_1 =
    "YES")
  (input wire CIN, input wire A0, input wire B0, input wire C0, input wire D0, input wire A1, input wire B1, input wire C1,
  input wire D1, output wire S0, output wire S1, output wire COUT);
  localparam CUT0 = INJECT1_0 == "YES";
  localparam CUT1 = INJECT1_1 == "YES";
  wire propagate0 = INIT0[{D0, C0, B0, A0}];
  wire propagate1 = INIT1[{D1, C1, B1, A1}];
  wire between = propagate0 ? CIN : !CUT0 && INIT0[{2'b00, B0, A0}];
  assign S0 = propagate0 ^ (!CUT0 && CIN);
  assign S1 = propagate1 ^ (!CUT1 && between);
  assign COUT = propagate1 ? between : !CUT1 && INIT1[{2'b00, B1, A1}];
endmodule

module TRELLIS_FF #(parameter GSR = "DISABLED", parameter CEMUX = "CE", parameter CLKMUX = "CLK", parameter LSRMUX = "LSR",
  parameter REGSET = "RESET", parameter SRMODE = "LSR_OVER_CE")
  (input wire CLK, input wire LSR, input wire CE, input wire DI, output reg Q);
  localparam VALUE = REGSET == "SET";
  wire enable = CEMUX == "CE" ? CE : CEMUX == "INV" ? !CE : 1'b1;
  wire set = LSRMUX == "INV" ? !LSR : LSR;
  initial Q = VALUE;
  always @(posedge CLK) if (set) Q <= VALUE; else if (enable) Q <= DI;
  if (CLKMUX != "CLK" || SRMODE == "ASYNC") $error("TRELLIS_FF: no model of this clock or reset");
endmodule

module TRELLIS_DPR16X4 #(parameter WCKMUX = "WCK", parameter WREMUX = "WRE", parameter [63:0] INITVAL = 0)
  (input wire [3:0] DI, input wire [3:0] WAD, input wire WRE, input wire WCK, input wire [3:0] RAD, output wire [3:0] DO);
  reg [63:0] mem = INITVAL;
  always @(posedge WCK) if (WRE) mem[{WAD, 2'b00} +: 4] <= DI;
  assign DO = mem[{RAD, 2'b00} +: 4];
  if (WCKMUX != "WCK" || WREMUX != "WRE") $error("TRELLIS_DPR16X4: no model of this clock or enable");
endmodule

module MULT18X18D(input wire A0, input wire A1, input wire A2, input wire A3, input wire A4, input wire A5, input wire A6,
    input wire A7, input wire A8, input wire A9, input wire A10, input wire A11, input wire A12, input wire A13, input wire
    A14, input wire A15, input wire A16, input wire A17, input wire B0, input wire B1, input wire B2, input wire B3, input
    wire B4, input wire B5, input wire B6, input wire B7, input wire B8, input wire B9, input wire B10, input wire B11, input
    wire B12, input wire B13, input wire B14, input wire B15, input wire B16, input wire B17, input wire C0, input wire C1,
    input wire C2, input wire C3, input wire C4, input wire C5, input wire C6, input wire C7, input wire C8, input wire C9,
    input wire C10, input wire C11, input wire C12, input wire C13, input wire C14, input wire C15, input wire C16, input
    wire C17, input wire SIGNEDA, input wire SIGNEDB, input wire SOURCEA, input wire SOURCEB, output wire P0, output wire P1,
    output wire P2, output wire P3, output wire P4, output wire P5, output wire P6, output wire P7, output wire P8, output
    wire P9, output wire P10, output wire P11, output wire P12, output wire P13, output wire P14, output wire P15, output
    wire P16, output wire P17, output wire P18, output wire P19, output wire P20, output wire P21, output wire P22, output
    wire P23, output wire P24, output wire P25, output wire P26, output wire P27, output wire P28, output wire P29, output
    wire P30, output wire P31, output wire P32, output wire P33, output wire P34, output wire P35);
  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
  wire signed [37:0] product = $signed({SIGNEDA & a[17], a}) * $signed({SIGNEDB & b[17], b});
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13,
    P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = product[35:0];
endmodule

module DP16KD #(parameter DATA_WIDTH_A = 18, parameter DATA_WIDTH_B = 18, parameter REGMODE_A = "NOREG",
  parameter REGMODE_B = "NOREG", parameter RESETMODE = "SYNC", parameter ASYNC_RESET_RELEASE = "SYNC",
  parameter CSDECODE_A = "0b000", parameter CSDECODE_B = "0b000", parameter WRITEMODE_A = "NORMAL",
  parameter WRITEMODE_B = "NORMAL", parameter CLKAMUX = "CLKA", parameter CLKBMUX = "CLKB", parameter GSR = "DISABLED",
  parameter [319:0] INITVAL_00 = 0, parameter [319:0] INITVAL_01 = 0, parameter [319:0] INITVAL_02 = 0, parameter [319:0]
  INITVAL_03 = 0, parameter [319:0] INITVAL_04 = 0, parameter [319:0] INITVAL_05 = 0, parameter [319:0] INITVAL_06 = 0,
  parameter [319:0] INITVAL_07 = 0, parameter [319:0] INITVAL_08 = 0, parameter [319:0] INITVAL_09 = 0, parameter [319:0]
  INITVAL_0A = 0, parameter [319:0] INITVAL_0B = 0, parameter [319:0] INITVAL_0C = 0, parameter [319:0] INITVAL_0D = 0,
  parameter [319:0] INITVAL_0E = 0, parameter [319:0] INITVAL_0F = 0, parameter [319:0] INITVAL_10 = 0, parameter [319:0]
  INITVAL_11 = 0, parameter [319:0] INITVAL_12 = 0, parameter [319:0] INITVAL_13 = 0, parameter [319:0] INITVAL_14 = 0,
  parameter [319:0] INITVAL_15 = 0, parameter [319:0] INITVAL_16 = 0, parameter [319:0] INITVAL_17 = 0, parameter [319:0]
  INITVAL_18 = 0, parameter [319:0] INITVAL_19 = 0, parameter [319:0] INITVAL_1A = 0, parameter [319:0] INITVAL_1B = 0,
  parameter [319:0] INITVAL_1C = 0, parameter [319:0] INITVAL_1D = 0, parameter [319:0] INITVAL_1E = 0, parameter [319:0]
  INITVAL_1F = 0, parameter [319:0] INITVAL_20 = 0, parameter [319:0] INITVAL_21 = 0, parameter [319:0] INITVAL_22 = 0,
  parameter [319:0] INITVAL_23 = 0, parameter [319:0] INITVAL_24 = 0, parameter [319:0] INITVAL_25 = 0, parameter [319:0]
  INITVAL_26 = 0, parameter [319:0] INITVAL_27 = 0, parameter [319:0] INITVAL_28 = 0, parameter [319:0] INITVAL_29 = 0,
  parameter [319:0] INITVAL_2A = 0, parameter [319:0] INITVAL_2B = 0, parameter [319:0] INITVAL_2C = 0, parameter [319:0]
  INITVAL_2D = 0, parameter [319:0] INITVAL_2E = 0, parameter [319:0] INITVAL_2F = 0, parameter [319:0] INITVAL_30 = 0,
  parameter [319:0] INITVAL_31 = 0, parameter [319:0] INITVAL_32 = 0, parameter [319:0] INITVAL_33 = 0, parameter [319:0]
  INITVAL_34 = 0, parameter [319:0] INITVAL_35 = 0, parameter [319:0] INITVAL_36 = 0, parameter [319:0] INITVAL_37 = 0,
  parameter [319:0] INITVAL_38 = 0, parameter [319:0] INITVAL_39 = 0, parameter [319:0] INITVAL_3A = 0, parameter [319:0]
  INITVAL_3B = 0, parameter [319:0] INITVAL_3C = 0, parameter [319:0] INITVAL_3D = 0, parameter [319:0] INITVAL_3E = 0,
  parameter [319:0] INITVAL_3F = 0)
  (input wire DIA0, input wire DIA1, input wire DIA2, input wire DIA3, input wire DIA4, input wire DIA5, input wire DIA6,
    input wire DIA7, input wire DIA8, input wire DIA9, input wire DIA10, input wire DIA11, input wire DIA12, input wire
    DIA13, input wire DIA14, input wire DIA15, input wire DIA16, input wire DIA17, input wire ADA0, input wire ADA1, input
    wire ADA2, input wire ADA3, input wire ADA4, input wire ADA5, input wire ADA6, input wire ADA7, input wire ADA8, input
    wire ADA9, input wire ADA10, input wire ADA11, input wire ADA12, input wire ADA13, input wire CEA, input wire OCEA, input
    wire CLKA, input wire WEA, input wire RSTA, input wire CSA0, input wire CSA1, input wire CSA2, output wire DOA0, output
    wire DOA1, output wire DOA2, output wire DOA3, output wire DOA4, output wire DOA5, output wire DOA6, output wire DOA7,
    output wire DOA8, output wire DOA9, output wire DOA10, output wire DOA11, output wire DOA12, output wire DOA13, output
    wire DOA14, output wire DOA15, output wire DOA16, output wire DOA17, input wire DIB0, input wire DIB1, input wire DIB2,
    input wire DIB3, input wire DIB4, input wire DIB5, input wire DIB6, input wire DIB7, input wire DIB8, input wire DIB9,
    input wire DIB10, input wire DIB11, input wire DIB12, input wire DIB13, input wire DIB14, input wire DIB15, input wire
    DIB16, input wire DIB17, input wire ADB0, input wire ADB1, input wire ADB2, input wire ADB3, input wire ADB4, input wire
    ADB5, input wire ADB6, input wire ADB7, input wire ADB8, input wire ADB9, input wire ADB10, input wire ADB11, input wire
    ADB12, input wire ADB13, input wire CEB, input wire OCEB, input wire CLKB, input wire WEB, input wire RSTB, input wire
    CSB0, input wire CSB1, input wire CSB2, output wire DOB0, output wire DOB1, output wire DOB2, output wire DOB3, output
    wire DOB4, output wire DOB5, output wire DOB6, output wire DOB7, output wire DOB8, output wire DOB9, output wire DOB10,
    output wire DOB11, output wire DOB12, output wire DOB13, output wire DOB14, output wire DOB15, output wire DOB16, output
    wire DOB17);
  localparam SHIFT = DATA_WIDTH_A == 36 ? 5 : DATA_WIDTH_A == 18 ? 4 : DATA_WIDTH_A == 9 ? 3 : DATA_WIDTH_A == 4 ? 2 :
    DATA_WIDTH_A == 2 ? 1 : 0;
  localparam WORDS = 16384 >> SHIFT;
  localparam LANES = DATA_WIDTH_A == 36 ? 4 : DATA_WIDTH_A == 18 ? 2 : 1;
  localparam LANE = DATA_WIDTH_A / LANES;
  reg [DATA_WIDTH_A-1:0] mem [0:WORDS-1];
  reg [DATA_WIDTH_A-1:0] qa = 0;
  reg [DATA_WIDTH_A-1:0] qb = 0;
  wire [13:0] aa = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] ab = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [35:0] da = {{DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2,
    DIB1, DIB0}, {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2,
    DIA1, DIA0}};
  wire [17:0] db = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2,
    DIB1, DIB0};
  wire [13-SHIFT:0] ia = aa[13:SHIFT];
  wire [13-SHIFT:0] ib = ab[13:SHIFT];
  integer i;
  initial for (i = 0; i < WORDS; i = i + 1) mem[i] = 0;
  genvar lane;
  for (lane = 0; lane < LANES; lane = lane + 1) begin : lanes
    always @(posedge CLKA)
      if (CEA && WEA && (LANES == 1 || aa[lane])) mem[ia][LANE*lane +: LANE] <= da[LANE*lane +: LANE];
    if (DATA_WIDTH_A != 36) begin : second
      always @(posedge CLKB)
        if (CEB && WEB && (LANES == 1 || ab[lane])) mem[ib][LANE*lane +: LANE] <= db[LANE*lane +: LANE];
    end
  end
  always @(posedge CLKA) if (RSTA) qa <= 0; else if (CEA) qa <= mem[ia];
  always @(posedge CLKB) if (RSTB) qb <= 0; else if (CEB) qb <= mem[ib];
  wire [35:0] read = DATA_WIDTH_A == 36 ? 36'(qb) : {18'(qb), 18'(qa)};
  assign {{DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1,
    DOB0}, {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1,
    DOA0}} = read;
  if (DATA_WIDTH_A != DATA_WIDTH_B || REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || RESETMODE != "SYNC" || CLKAMUX != "CLKA" ||
    CLKBMUX != "CLKB") $error("DP16KD: no model of these widths, registers, resets or clocks");
  if ((INITVAL_00 | INITVAL_01 | INITVAL_02 | INITVAL_03 | INITVAL_04 | INITVAL_05 | INITVAL_06 | INITVAL_07 | INITVAL_08
    | INITVAL_09 | INITVAL_0A | INITVAL_0B | INITVAL_0C | INITVAL_0D | INITVAL_0E | INITVAL_0F | INITVAL_10 | INITVAL_11 |
    INITVAL_12 | INITVAL_13 | INITVAL_14 | INITVAL_15 | INITVAL_16 | INITVAL_17 | INITVAL_18 | INITVAL_19 | INITVAL_1A |
    INITVAL_1B | INITVAL_1C | INITVAL_1D | INITVAL_1E | INITVAL_1F | INITVAL_20 | INITVAL_21 | INITVAL_22 | INITVAL_23 |
    INITVAL_24 | INITVAL_25 | INITVAL_26 | INITVAL_27 | INITVAL_28 | INITVAL_29 | INITVAL_2A | INITVAL_2B | INITVAL_2C |
    INITVAL_2D | INITVAL_2E | INITVAL_2F | INITVAL_30 | INITVAL_31 | INITVAL_32 | INITVAL_33 | INITVAL_34 | INITVAL_35 |
    INITVAL_36 | INITVAL_37 | INITVAL_38 | INITVAL_39 | INITVAL_3A | INITVAL_3B | INITVAL_3C | INITVAL_3D | INITVAL_3E |
    INITVAL_3F) != 0)
    $error("DP16KD: contents at the start are zero in this model");
endmodule
